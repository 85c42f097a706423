import type { Db } from '../../db/tables.ts'
import type { Counts, View } from './links.ts'
import * as lists from './list-store.ts'
import type { Todo } from './schema.ts'
import { search } from './search-store.ts'
import type { Versioned } from './store.ts'

interface Overview {
  /** As asked for, with the last page in the place of one behind it. */
  readonly view: View
  readonly page: ReadonlyArray<Versioned<Todo>>
  /** How many todos the view has on all its pages. */
  readonly total: number
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
  const completed = { all: undefined, open: false, done: true }[show]
  const { open, completed: done } = await lists.counts(db, ownerId)
  const counts = { all: open + done, open, done }
  const found = q ? await search(db, ownerId, { completed, q }) : { completed, total: counts[show] }
  const pages = Math.max(1, Math.ceil(found.total / pageSize))
  const number = Math.min(view.page, pages)
  const place = { offset: (number - 1) * pageSize }
  const page = await lists.list(db, ownerId, found, NEWEST_FIRST, place, pageSize)
  return { view: { ...view, page: number }, page, total: found.total, pages, counts }
}
