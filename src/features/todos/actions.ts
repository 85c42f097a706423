import type { Static } from 'typebox'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Db } from '../../db/tables.ts'
import { offsetLinks, type Relations } from '../../lib/paging.ts'
import { forbidden, invalid, notFound, preconditionFailed } from '../../lib/problem.ts'
import { allows, type Versions } from '../../lib/versions.ts'
import { type Key, once } from '../idempotency-keys/actions.ts'
import { add } from './add-store.ts'
import { type Cursor, decodeCursor, encodeCursor, turned } from './cursor.ts'
import * as lists from './list-store.ts'
import {
  type Sort,
  sorts,
  Todo,
  type TodoCreate,
  type TodoReplace,
  type TodoUpdate,
  type TodoWithOwner,
  type todoQuery,
} from './schema.ts'
import { type Filter, search } from './search-store.ts'
import * as todos from './store.ts'

interface Page {
  readonly page: Todo[]
  readonly total: number
  readonly relations: Relations
}

/**
 * A page of a user's todos and the way to the pages around it. The way is by cursor, unless the
 * query names an offset. Throws 403 for another's todos and 422 for a cursor that does not fit.
 */
export async function list(
  db: Db,
  caller: { id: number; is_admin: boolean },
  query: Static<ReturnType<typeof todoQuery>>,
): Promise<Page> {
  const { user_id = caller.id, completed, q, offset, limit, cursor } = query
  if (user_id !== caller.id && !caller.is_admin) throw forbidden('These are not your todos.')
  if (offset !== undefined && cursor !== undefined) {
    const msg = 'cannot go with offset; send one of them'
    throw invalid({ loc: ['query', 'cursor'], msg, type: 'not_allowed' })
  }
  const order = orderOf(query.sort)
  const filter = { completed, q }
  if (offset !== undefined) {
    const { rows, total } = await counted(db, user_id, filter, order, (filter) =>
      lists.list(db, user_id, filter, order, { offset }, limit),
    )
    return { page: rows, total, relations: offsetLinks({ offset, limit, total }) }
  }
  const place = cursor === undefined ? undefined : decodeCursor(query.sort, cursor)
  const start = place ? { cursor: place } : { offset: 0 }
  // One more than asked for tells whether the list goes on.
  const { rows, total } = await counted(db, user_id, filter, order, (filter) =>
    lists.list(db, user_id, filter, order, start, limit + 1),
  )
  const goesOn = rows.length > limit
  const isBackward = place?.direction === 'before'
  const page = goesOn ? (isBackward ? rows.slice(1) : rows.slice(0, limit)) : rows

  const link = (cursor: Cursor) => ({ cursor: encodeCursor(query.sort, cursor) })
  const at = (direction: Cursor['direction'], todo: (typeof page)[number] | undefined) =>
    todo && link({ direction, key: lists.keyOf(todo, order.sort), id: todo.id })
  // Of an empty page the way back to what is left is the way that led there, turned round.
  const isLost = place && page.length === 0 && total > 0
  const back = isLost ? link(turned(place, order.descending)) : undefined
  const prev = (isBackward ? goesOn : place) ? (at('before', page[0]) ?? back) : undefined
  const next = isBackward || goesOn ? (at('after', page.at(-1)) ?? back) : undefined
  return {
    page,
    total,
    relations: { first: { cursor: undefined }, ...(prev && { prev }), ...(next && { next }) },
  }
}

/** What `read` gives, and how many todos match: asked for at once, unless how many there are tells how to read them. */
async function counted<Row>(
  db: Db,
  ownerId: number,
  filter: Filter,
  { sort }: lists.Order,
  read: (filter: Filter) => Promise<Row[]>,
): Promise<{ rows: Row[]; total: number }> {
  const { completed, q } = filter
  if (q) {
    const found = await search(db, ownerId, { completed, q })
    return { rows: await read(found), total: found.total }
  }
  if (completed !== undefined && sort !== 'id') {
    const { open, completed: done } = await lists.counts(db, ownerId)
    const [total, others] = completed ? [done, open] : [open, done]
    return { rows: await read({ completed, total, others }), total }
  }
  const [rows, total] = await Promise.all([read(filter), lists.count(db, ownerId, completed)])
  return { rows, total }
}

function orderOf(text: string): lists.Order {
  const name = text.replace(/^-/, '')
  const sort: Sort = sorts.find((each) => each === name) ?? 'id'
  return { sort, descending: text.startsWith('-') }
}

/** Answers that earlier versions kept do not have the owner's version. */
const Kept = Type.Object({
  ...Todo.properties,
  version: Type.Integer(),
  owner_version: Type.Optional(Type.Integer()),
})

type WithOwnerVersion<Shape> = todos.Versioned<Shape> & { readonly owner_version: number }

/** Adds a todo, once for each idempotency key. Throws what `once` throws. */
export const create = (
  db: Db,
  owner: { readonly id: number; readonly version: number },
  input: TodoCreate,
  key: Key = {},
): Promise<WithOwnerVersion<Todo>> =>
  once(
    db,
    { ...key, userId: owner.id, request: ['createTodo', input] },
    async (db) => ({
      ...(await add(db, owner.id, input)),
      owner_version: owner.version,
    }),
    (kept) => ({ owner_version: owner.version, ...Value.Parse(Kept, kept) }),
  )

export async function getWithOwner(
  db: Db,
  ownerId: number,
  id: number,
): Promise<WithOwnerVersion<TodoWithOwner>> {
  const todo = await todos.findWithOwner(db, ownerId, id)
  if (!todo) throw notFound('Todo')
  return todo
}

export const OTHER_VERSION =
  'If-Match or If-None-Match is for another version. Read it again, then decide.'

/** Throws 404 when the owner has no such todo, and 412 when it has none of the versions. No change is no write. */
export async function change(
  db: Db,
  ownerId: number,
  id: number,
  input: TodoUpdate,
  versions?: Versions,
): Promise<todos.Versioned<Todo>> {
  if (input.text === undefined && input.completed === undefined) {
    const todo = await todos.find(db, ownerId, id)
    if (!todo) throw notFound('Todo')
    if (!allows(versions, todo.version)) throw preconditionFailed(OTHER_VERSION)
    return todo
  }
  const todo = await todos.update(db, ownerId, id, input, versions)
  if (!todo) throw await whyNot(db, ownerId, id)
  return todo
}

/** Throws 422 when the input names another id, and what `change` throws. */
export async function replace(
  db: Db,
  ownerId: number,
  id: number,
  input: TodoReplace,
  versions?: Versions,
): Promise<todos.Versioned<Todo>> {
  if (input.id !== undefined && input.id !== id) {
    throw invalid({
      loc: ['body', 'id'],
      msg: `must be ${id}, as in the path`,
      type: 'not_allowed',
    })
  }
  const { text, completed = false } = input
  return change(db, ownerId, id, { text, completed }, versions)
}

/** Throws 404 when the owner has no such todo, and 412 when it has none of the versions. */
export async function remove(
  db: Db,
  ownerId: number,
  id: number,
  versions?: Versions,
): Promise<void> {
  if (!(await todos.remove(db, ownerId, id, versions))) throw await whyNot(db, ownerId, id)
}

const whyNot = async (db: Db, ownerId: number, id: number) =>
  (await todos.find(db, ownerId, id)) ? preconditionFailed(OTHER_VERSION) : notFound('Todo')
