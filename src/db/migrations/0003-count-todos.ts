import { type Kysely, type RawBuilder, sql } from 'kysely'
import { isSqlite, wordsOf } from '../dialect.ts'

/**
 * How many todos each user has, so that a list can say its length without counting them. Triggers
 * keep the counts in the transaction of each change, whoever makes it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { integer } = wordsOf(db)
  const statements: RawBuilder<unknown>[] = [
    sql`create table todo_counts (
      owner_id ${integer} not null primary key references users (id) on delete cascade,
      open ${integer} not null,
      completed ${integer} not null
    )`,
    // The triggers first: in PostgreSQL making them keeps other writers away until the commit.
    ...(isSqlite(db) ? sqliteTriggers : postgresqlTriggers),
    sql`insert into todo_counts (owner_id, open, completed)
      select owner_id,
        count(*) filter (where completed_at is null),
        count(*) filter (where completed_at is not null)
      from todos group by owner_id`,
  ]
  for (const statement of statements) await statement.execute(db)
}

const sqliteTriggers = [
  sql`create trigger count_added_todos after insert on todos begin
    insert into todo_counts (owner_id, open, completed)
    values (new.owner_id, new.completed_at is null, new.completed_at is not null)
    on conflict (owner_id) do update
      set open = open + excluded.open, completed = completed + excluded.completed;
  end`,
  sql`create trigger count_removed_todos after delete on todos begin
    update todo_counts
    set open = open - (old.completed_at is null),
      completed = completed - (old.completed_at is not null)
    where owner_id = old.owner_id;
  end`,
  sql`create trigger count_ticked_todos after update of completed_at on todos
    when (old.completed_at is null) <> (new.completed_at is null) begin
    update todo_counts
    set open = open - (old.completed_at is null) + (new.completed_at is null),
      completed = completed - (old.completed_at is not null) + (new.completed_at is not null)
    where owner_id = new.owner_id;
  end`,
]

// Many todos come and go by one statement, when they are copied or an account is erased; changing
// the same row once for each would slow down with every one. So these two count per statement.
const postgresqlTriggers = [
  sql`create or replace function count_added_todos() returns trigger language plpgsql as $$ begin
    insert into todo_counts as kept (owner_id, open, completed)
    select owner_id,
      count(*) filter (where completed_at is null),
      count(*) filter (where completed_at is not null)
    from added group by owner_id order by owner_id
    on conflict (owner_id) do update
      set open = kept.open + excluded.open, completed = kept.completed + excluded.completed;
    return null;
  end $$`,
  sql`create trigger count_added_todos after insert on todos
    referencing new table as added
    for each statement execute function count_added_todos()`,

  sql`create or replace function count_removed_todos() returns trigger language plpgsql as $$ begin
    update todo_counts as kept
    set open = kept.open - gone.open, completed = kept.completed - gone.completed
    from (
      select owner_id,
        count(*) filter (where completed_at is null) as open,
        count(*) filter (where completed_at is not null) as completed
      from removed group by owner_id
    ) as gone
    where kept.owner_id = gone.owner_id;
    return null;
  end $$`,
  sql`create trigger count_removed_todos after delete on todos
    referencing old table as removed
    for each statement execute function count_removed_todos()`,

  sql`create or replace function count_ticked_todos() returns trigger language plpgsql as $$ begin
    update todo_counts
    set open = open - (old.completed_at is null)::int + (new.completed_at is null)::int,
      completed = completed - (old.completed_at is not null)::int + (new.completed_at is not null)::int
    where owner_id = new.owner_id;
    return null;
  end $$`,
  sql`create trigger count_ticked_todos after update of completed_at on todos
    for each row when ((old.completed_at is null) <> (new.completed_at is null))
    execute function count_ticked_todos()`,
]
