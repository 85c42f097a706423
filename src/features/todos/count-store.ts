import { type QueryCreator, type RawBuilder, type SqlBool, sql } from 'kysely'
import { isSqlite } from '../../db/dialect.ts'
import type { Placeholder } from '../../db/prepared.ts'
import type { Db, Tables, TodoRow } from '../../db/tables.ts'
import type { Versions } from '../../lib/versions.ts'

// A statement that adds, ticks or removes a todo counts it too, in `todo_counts`. In SQLite triggers
// do that (migration 0003), and each function here gives the plain statement to go on with. In
// PostgreSQL the counting is put before it with `with`, so it is still one statement, one round trip.
//
// The counts stay right whoever writes at once, in `read committed`: the todo is locked and read in
// its newest version before it changes (`for update`), and what is added to a count is added to
// that row's newest version. Todos are locked before counts, so two writers of todos never wait for
// each other; who erases the account keeps to that order (`users/store.ts`).

type Queries = QueryCreator<Tables>

type Added = Pick<TodoRow, 'owner_id'> & Pick<Tables['todo_counts'], 'open' | 'completed'>

/** To go on with the insert of a todo that counts as so many open and so many completed. */
export const countingAdded = (db: Db, value: Placeholder<Added>): Queries =>
  isSqlite(db)
    ? db
    : db.with('counted', (db) =>
        db
          .insertInto('todo_counts')
          .values({
            owner_id: value('owner_id'),
            open: value('open'),
            completed: value('completed'),
          })
          .onConflict((conflict) =>
            conflict.column('owner_id').doUpdateSet({
              open: sql`todo_counts.open + excluded.open`,
              completed: sql`todo_counts.completed + excluded.completed`,
            }),
          ),
      )

/** What is given of a new todo. */
export type NewTodo = Pick<
  TodoRow,
  'owner_id' | 'text' | 'text_key' | 'sort_key' | 'completed_at' | 'created_at'
>

/** The new todos by column. */
export type NewTodos = { [Name in keyof NewTodo]: ReadonlyArray<NewTodo[Name]> }

/**
 * To go on, in PostgreSQL, with the insert of the todos `added`: those of the new ones whose owners are `free`,
 * who have todos already, and whose count and account nobody else has locked, so that nobody waits for
 * another's owner.
 */
export const countingAllAdded = (db: Db, value: Placeholder<NewTodos>) =>
  db
    .with('free', (db) =>
      db
        .selectFrom('todo_counts')
        .innerJoin('users', 'users.id', 'todo_counts.owner_id')
        .select('todo_counts.owner_id')
        .where('todo_counts.owner_id', '=', sql<number>`any(${value('owner_id')}::bigint[])`)
        .modifyEnd(sql`for update of todo_counts skip locked for key share of users skip locked`),
    )
    .with('added', (db) =>
      db
        .selectFrom(
          sql<NewTodo & { position: number }>`unnest(
            ${value('owner_id')}::bigint[], ${value('text')}::text[], ${value('text_key')}::text[],
            ${value('sort_key')}::text[], ${value('completed_at')}::text[], ${value('created_at')}::text[]
          ) with ordinality`.as<'new'>(
            sql`new (owner_id, text, text_key, sort_key, completed_at, created_at, position)`,
          ),
        )
        .innerJoin('free', 'free.owner_id', 'new.owner_id')
        .selectAll('new'),
    )
    .with('counted', (db) =>
      db
        .updateTable('todo_counts')
        .from((db) =>
          db
            .selectFrom('added')
            .select([
              'owner_id',
              sql<number>`count(*) filter (where completed_at is null)`.as('open'),
              sql<number>`count(completed_at)`.as('completed'),
            ])
            .groupBy('owner_id')
            .as('more'),
        )
        .set({
          open: sql`todo_counts.open + more.open`,
          completed: sql`todo_counts.completed + more.completed`,
        })
        .whereRef('todo_counts.owner_id', '=', 'more.owner_id'),
    )

/** Whether any version of a todo will do, or `version`, or several. */
export type WhichVersions = 'any' | 'one' | Versions

/** Which todo a statement is about. */
export type Which = { ownerId: number; id: number; version: number }

/** A statement to go on with, and the condition for the todo that it is about. */
interface Counting {
  readonly queries: Queries
  readonly isIt: RawBuilder<SqlBool>
}

const condition = (value: Placeholder<Which>, versions: WhichVersions): RawBuilder<SqlBool> => {
  const todo = sql<SqlBool>`owner_id = ${value('ownerId')} and id = ${value('id')}`
  if (versions === 'any') return todo
  if (versions === 'one') return sql`${todo} and version = ${value('version')}`
  if ('except' in versions) {
    return sql`${todo} and version not in (${sql.join([0, ...versions.except])})`
  }
  return sql`${todo} and version in (${sql.join([0, ...versions])})`
}

/** The todo as it is in its newest version, which stays so until the transaction ends. */
const withOld = (db: Db, value: Placeholder<Which>, versions: WhichVersions) =>
  db.with('old', (db) =>
    db
      .selectFrom('todos')
      .select(['id', 'completed_at'])
      .where(condition(value, versions))
      .forUpdate(),
  )

const isOld = (value: Placeholder<Which>) =>
  sql<SqlBool>`owner_id = ${value('ownerId')} and id = (select id from old)`

/** To go on with an update, which completes or reopens the todo where `completed` is given. */
export function countingChanged(
  db: Db,
  value: Placeholder<Which>,
  versions: WhichVersions,
  completed: boolean | undefined,
): Counting {
  if (completed === undefined || isSqlite(db)) {
    return { queries: db, isIt: condition(value, versions) }
  }
  const more = completed ? 1 : -1
  const queries = withOld(db, value, versions).with('counted', (db) =>
    db
      .updateTable('todo_counts')
      .from('old')
      .set({
        open: sql`todo_counts.open - ${sql.lit(more)}`,
        completed: sql`todo_counts.completed + ${sql.lit(more)}`,
      })
      .where('todo_counts.owner_id', '=', value('ownerId'))
      .where('old.completed_at', completed ? 'is' : 'is not', null),
  )
  return { queries, isIt: isOld(value) }
}

/** To go on with the delete of a todo. */
export function countingRemoved(
  db: Db,
  value: Placeholder<Which>,
  versions: WhichVersions,
): Counting {
  if (isSqlite(db)) return { queries: db, isIt: condition(value, versions) }
  const queries = withOld(db, value, versions).with('counted', (db) =>
    db
      .updateTable('todo_counts')
      .from('old')
      .set({
        open: sql`todo_counts.open - (old.completed_at is null)::int`,
        completed: sql`todo_counts.completed - (old.completed_at is not null)::int`,
      })
      .where('todo_counts.owner_id', '=', value('ownerId')),
  )
  return { queries, isIt: isOld(value) }
}
