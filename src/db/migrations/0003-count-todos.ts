import { type Kysely, type RawBuilder, sql } from 'kysely'
import { isSqlite, wordsOf } from '../dialect.ts'

/**
 * How many todos each user has, so that a list can say its length without counting them. In SQLite
 * triggers keep the counts; in PostgreSQL the statements of `features/todos/count-store.ts` do, since
 * a distributed one has no triggers for what lies on its nodes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { integer } = wordsOf(db)
  const statements: RawBuilder<unknown>[] = [
    sql`create table todo_counts (
      owner_id ${integer} not null primary key references users (id) on delete cascade,
      open ${integer} not null,
      completed ${integer} not null
    )`,
    ...(isSqlite(db) ? triggers : []),
    sql`insert into todo_counts (owner_id, open, completed)
      select owner_id,
        count(*) filter (where completed_at is null),
        count(*) filter (where completed_at is not null)
      from todos group by owner_id`,
  ]
  for (const statement of statements) await statement.execute(db)
}

const triggers = [
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
