import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { given, type Placeholder, prepared, preparedByShape } from '../../db/prepared.ts'
import type { Db, Tables, TodoRow } from '../../db/tables.ts'
import type { Cursor } from './cursor.ts'
import type { Sort, Todo } from './schema.ts'
import { areFew, type Filter, found, todosOf } from './search-store.ts'
import { columns, shown, type Versioned } from './store.ts'

const keptCounts = prepared((db, value: Placeholder<{ ownerId: number }>) =>
  db
    .selectFrom('todo_counts')
    .select(['open', 'completed'])
    .where('owner_id', '=', value('ownerId')),
)

export interface Counts {
  readonly open: number
  readonly completed: number
}

/** Of all the owner's todos. */
export async function counts(db: Db, ownerId: number): Promise<Counts> {
  const [counts] = await keptCounts(db, { ownerId })
  return counts ?? { open: 0, completed: 0 }
}

/** Of all the owner's todos, or of those that are completed or not. */
export async function count(db: Db, ownerId: number, isCompleted?: boolean): Promise<number> {
  const { open, completed } = await counts(db, ownerId)
  if (isCompleted === undefined) return open + completed
  return isCompleted ? completed : open
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

interface Shape {
  readonly column: (typeof sortColumns)[Sort]
  readonly direction: 'asc' | 'desc'
  readonly start: 'offset' | 'cursor'
  /** Whether the todos are gone through in this order, by the index that has it; otherwise they are few, and sorted. */
  readonly isWalked: boolean
}

type PageValues = { limit: number; offset: number; key: string; id: number }

/** What todos are put in order by. For few, SQLite would go through all of the index that has it in order. */
const keyIn = ({ column, isWalked }: Pick<Shape, 'column' | 'isWalked'>): RawBuilder<unknown> => {
  const key = sql.ref(`todos.${column}`)
  return isWalked ? key : sql`coalesce(${key}, '')`
}

const inOrder = ({ column, direction, isWalked }: Omit<Shape, 'start'>): RawBuilder<unknown> => {
  const way = sql.raw(direction)
  const byId = sql`todos.id ${way}`
  return column === 'id' ? byId : sql`${keyIn({ column, isWalked })} ${way}, ${byId}`
}

/** A page of `todos`, from an offset or from a cursor on. */
function pageOf(
  todos: SelectQueryBuilder<Tables, 'todos', object>,
  shape: Shape,
  value: Placeholder<PageValues>,
) {
  const { column, direction, start } = shape
  const beyond = sql.raw(direction === 'asc' ? '>' : '<')
  const behindCursor =
    column === 'id'
      ? sql<SqlBool>`id ${beyond} ${value('id')}`
      : sql<SqlBool>`(${keyIn(shape)}, id) ${beyond} (${value('key')}, ${value('id')})`
  return todos
    .select(columns)
    .select('sort_key')
    .orderBy(inOrder(shape))
    .limit(value('limit'))
    .$if(start === 'offset', (todos) => todos.offset(value('offset')))
    .$if(start === 'cursor', (todos) => todos.where(behindCursor))
}

/** The page of a list that is not searched; there are 72 of them. */
const wholeListPage = preparedByShape(
  ({ column, direction, start, isWalked, completed }: Shape & Pick<Filter, 'completed'>) =>
    `${column} ${direction} ${start} ${isWalked} ${completed}`,
  ({ completed, ...shape }) =>
    (db, value: Placeholder<PageValues & { ownerId: number }>) =>
      pageOf(todosOf(db, value('ownerId'), completed, shape.isWalked), shape, value),
)

/**
 * The page far from the start of a list that is not searched; there are 36 of them. All that the
 * offset leaves out is gone through: the ids by themselves, which an index holds in most orders, and
 * only the todos of the page are read. SQLite keeps to the order of a cross join.
 */
const farPage = preparedByShape(
  ({ column, direction, isWalked, completed }: Omit<Shape, 'start'> & Pick<Filter, 'completed'>) =>
    `${column} ${direction} ${isWalked} ${completed}`,
  ({ completed, ...order }) =>
    (db, value: Placeholder<Pick<PageValues, 'limit' | 'offset'> & { ownerId: number }>) =>
      db
        .selectFrom(
          todosOf(db, value('ownerId'), completed, order.isWalked)
            .select('id')
            .orderBy(inOrder(order))
            .limit(value('limit'))
            .offset(value('offset'))
            .as('page'),
        )
        .crossJoin('todos')
        .whereRef('todos.id', '=', 'page.id')
        .where('todos.owner_id', '=', value('ownerId'))
        .select(columns)
        .select('sort_key')
        .orderBy(inOrder(order)),
)

/** To go past so many todos to a page is no brief statement. */
const FAR = 1000

/** Reading so many is no brief statement either. */
const MANY = 200

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
  const column = sortColumns[sort]
  const shape: Shape = {
    column,
    direction: descending === isBackward ? 'asc' : 'desc',
    start: 'cursor' in place ? 'cursor' : 'offset',
    isWalked: column !== 'id' && !areFew(filter),
  }
  const { key, id } = 'cursor' in place ? place.cursor : { key: '', id: 0 }
  const values = { limit, offset: 'offset' in place ? place.offset : 0, key, id, ownerId }
  const whole = { ...shape, completed: filter.completed }
  const isFar = shape.isWalked && (filter.others ?? 0) >= FAR
  // What to do for a search depends on the text searched for, so it is planned anew.
  const rows = filter.q
    ? await pageOf(found(db, ownerId, filter, shape.isWalked), shape, given(values)).execute()
    : values.offset >= FAR
      ? await farPage(whole)(db, values, false)
      : await wholeListPage(whole)(db, values, limit < MANY && !isFar)
  const page = rows.map((row) => ({ ...shown(row), sort_key: row.sort_key }))
  return isBackward ? page.reverse() : page
}

/** What a cursor compares of a todo. */
export function keyOf(todo: Todo & { sort_key: string }, sort: Sort): string {
  return sort === 'id' ? '' : todo[sortColumns[sort]]
}
