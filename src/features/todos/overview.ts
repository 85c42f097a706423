import type { Db } from '../../db/tables.ts'
import type { Counts, View } from './links.ts'
import type { Todo } from './schema.ts'
import * as todos from './store.ts'

export interface Overview {
  /** As asked for, with the last page in the place of one behind it. */
  readonly view: View
  readonly page: ReadonlyArray<todos.Versioned<Todo>>
  /** How many pages there are, at least one. */
  readonly pages: number
  /** Of all todos, whatever is looked for. */
  readonly counts: Counts
}

const NEWEST_FIRST = { sort: 'id', descending: true } as const

/** A page of the owner's todos as the todo page shows it, the newest first. */
export async function overview(
  db: Db,
  ownerId: number,
  view: View,
  pageSize: number,
): Promise<Overview> {
  const { show, q } = view
  const filter = { completed: { all: undefined, open: false, done: true }[show], q }
  const [all, open] = await Promise.all([
    todos.count(db, ownerId, {}),
    todos.count(db, ownerId, { completed: false }),
  ])
  const counts = { all, open, done: all - open }
  const total = q ? await todos.count(db, ownerId, filter) : counts[show]
  const pages = Math.max(1, Math.ceil(total / pageSize))
  const number = Math.min(view.page, pages)
  const place = { offset: (number - 1) * pageSize }
  const page = await todos.list(db, ownerId, filter, NEWEST_FIRST, place, pageSize)
  return { view: { ...view, page: number }, page, pages, counts }
}
