import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { isAmong } from '../../db/dialect.ts'
import { contains, countOf } from '../../db/queries.ts'
import type { Db, Tables, TodoRow } from '../../db/tables.ts'
import { fold, sortKey } from '../../lib/text.ts'
import { now } from '../../lib/time.ts'
import * as users from '../users/store.ts'
import type { Cursor } from './cursor.ts'
import type { Sort, Todo, TodoCreate, TodoUpdate, TodoWithOwner } from './schema.ts'

/** A todo with the version that its entity tag is made of. */
export type Versioned<Shape> = Shape & { readonly version: number }

const columns = [
  'todos.id',
  'todos.text',
  'todos.completed_at',
  'todos.owner_id',
  'todos.version',
  'todos.created_at',
  'todos.updated_at',
] as const

type Columns = Omit<TodoRow, 'text_key' | 'sort_key'>

const shown = (todo: Columns): Versioned<Todo> & Pick<TodoRow, 'completed_at'> => ({
  ...todo,
  completed: todo.completed_at !== null,
})

const keys = (text: string) => ({ text, text_key: fold(text), sort_key: sortKey(text) })

export interface Filter {
  readonly completed?: boolean | undefined
  readonly q?: string | undefined
  /** Only these, where it is known that no others match. */
  readonly ids?: readonly number[] | undefined
}

const matching = (db: Db, ownerId: number, { completed, q, ids }: Filter) =>
  db
    .selectFrom('todos')
    .where('owner_id', '=', ownerId)
    .$if(completed === true, (todos) => todos.where('completed_at', 'is not', null))
    .$if(completed === false, (todos) => todos.where('completed_at', 'is', null))
    .$if(Boolean(q), (todos) => todos.where(contains('text_key', q)))
    .$if(ids !== undefined, (todos) => todos.where(isAmong(db, 'id', ids ?? [])))

/**
 * The same todos by what the index `todos_sort_key` holds: the start of the text, which mostly is
 * all of it. The texts that are longer are looked at by themselves.
 */
const matchingByIndex = (db: Db, ownerId: number, { completed, q }: Filter) =>
  matching(db, ownerId, { completed }).where((of) =>
    of.or([
      contains('sort_key', q),
      of('id', 'in', (of) =>
        of
          .selectFrom('todos as long')
          .select('long.id')
          .where('long.owner_id', '=', ownerId)
          .whereRef('long.text_key', '<>', 'long.sort_key')
          .where(contains('long.text_key', q)),
      ),
    ]),
  )

/** The ids of todos with the text of the filter in them, in no order, and no more than `limit`. */
export async function search(
  db: Db,
  ownerId: number,
  filter: Filter,
  limit: number,
): Promise<number[]> {
  const rows = await matchingByIndex(db, ownerId, filter).select('id').limit(limit).execute()
  return rows.map(({ id }) => id)
}

export async function count(db: Db, ownerId: number, filter: Filter): Promise<number> {
  if (filter.q) return countOf(matchingByIndex(db, ownerId, filter))
  const { open, completed } = (await db
    .selectFrom('todo_counts')
    .select(['open', 'completed'])
    .where('owner_id', '=', ownerId)
    .executeTakeFirst()) ?? { open: 0, completed: 0 }
  if (filter.completed === undefined) return open + completed
  return filter.completed ? completed : open
}

const sortColumns = {
  id: 'id',
  created_at: 'created_at',
  updated_at: 'updated_at',
  text: 'sort_key',
} as const satisfies Record<Sort, keyof Tables['todos']>

export interface Order {
  readonly sort: Sort
  readonly descending: boolean
}

/** Where a page begins: so many todos from the start, or at a cursor. */
export type Place = { readonly offset: number } | { readonly cursor: Cursor }

/** A page of the owner's todos. A page before a cursor is the one that ends there. */
export async function list(
  db: Db,
  ownerId: number,
  filter: Filter,
  { sort, descending }: Order,
  place: Place,
  limit: number,
): Promise<Array<Versioned<Todo> & Pick<TodoRow, 'completed_at' | 'sort_key'>>> {
  const isBackward = 'cursor' in place && place.cursor.direction === 'before'
  const direction = descending === isBackward ? 'asc' : 'desc'
  const column = sortColumns[sort]
  let query: SelectQueryBuilder<Tables, 'todos', object> = matching(db, ownerId, filter)
  if (column !== 'id') query = query.orderBy(column, direction)
  query = query.orderBy('id', direction).limit(limit)
  if ('offset' in place) {
    query = query.offset(place.offset)
  } else {
    const { key, id } = place.cursor
    const beyond = sql.raw(direction === 'asc' ? '>' : '<')
    query = query.where(
      column === 'id'
        ? sql<SqlBool>`id ${beyond} ${id}`
        : sql<SqlBool>`(${sql.ref(column)}, id) ${beyond} (${key}, ${id})`,
    )
  }
  const rows = await query.select(columns).select('sort_key').execute()
  const page = rows.map((row) => ({ ...shown(row), sort_key: row.sort_key }))
  return isBackward ? page.reverse() : page
}

/** What a cursor compares of a todo. */
export function keyOf(todo: Todo & { sort_key: string }, sort: Sort): string {
  return sort === 'id' ? '' : todo[sortColumns[sort]]
}

export async function find(
  db: Db,
  ownerId: number,
  id: number,
): Promise<Versioned<Todo> | undefined> {
  const row = await db
    .selectFrom('todos')
    .select(columns)
    .where('owner_id', '=', ownerId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && shown(row)
}

export async function findWithOwner(
  db: Db,
  ownerId: number,
  id: number,
): Promise<(Versioned<TodoWithOwner> & { owner_version: number }) | undefined> {
  const row = await db
    .selectFrom('todos')
    .innerJoin('users', 'users.id', 'todos.owner_id')
    .select(columns)
    .select([
      'users.email',
      'users.fname',
      'users.lname',
      'users.admin_since',
      'users.version as owner_version',
      'users.created_at as owner_created_at',
      'users.updated_at as owner_updated_at',
    ])
    .where('owner_id', '=', ownerId)
    .where('todos.id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const owner = users.shown({
    ...row,
    id: row.owner_id,
    created_at: row.owner_created_at,
    updated_at: row.owner_updated_at,
  })
  return { ...shown(row), owner, owner_version: row.owner_version }
}

export async function create(
  db: Db,
  ownerId: number,
  { text, completed = false }: TodoCreate,
): Promise<Versioned<Todo>> {
  const at = now()
  const row = await db
    .insertInto('todos')
    .values({
      owner_id: ownerId,
      ...keys(text),
      completed_at: completed ? at : null,
      created_at: at,
      updated_at: at,
    })
    .returning(columns)
    .executeTakeFirstOrThrow()
  return shown(row)
}

/** Changes a todo that is the owner's and, where versions are named, has one of them. */
export async function update(
  db: Db,
  ownerId: number,
  id: number,
  { text, completed }: TodoUpdate,
  versions?: readonly number[],
): Promise<Versioned<Todo> | undefined> {
  const at = now()
  const row = await db
    .updateTable('todos')
    .set({
      ...(text === undefined ? {} : keys(text)),
      // Completed again is completed since the first time.
      ...(completed === undefined
        ? {}
        : { completed_at: completed ? sql<string>`coalesce(completed_at, ${at})` : null }),
      version: sql`version + 1`,
      updated_at: at,
    })
    .where('owner_id', '=', ownerId)
    .where('id', '=', id)
    .$if(versions !== undefined, (todos) => todos.where('version', 'in', [0, ...(versions ?? [])]))
    .returning(columns)
    .executeTakeFirst()
  return row && shown(row)
}

/** Whether there was such a todo of the owner's, in one of the versions where they are named. */
export async function remove(
  db: Db,
  ownerId: number,
  id: number,
  versions?: readonly number[],
): Promise<boolean> {
  const row = await db
    .deleteFrom('todos')
    .where('owner_id', '=', ownerId)
    .where('id', '=', id)
    .$if(versions !== undefined, (todos) => todos.where('version', 'in', [0, ...(versions ?? [])]))
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
