import type { Counts, View } from '../../src/features/todos/links.ts'
import type { Todo } from '../../src/features/todos/schema.ts'
import { type Answer, call } from '../api.ts'
import { noted } from './deletions.ts'
import { api, pageSize, todosIn } from './todo.ts'

interface Page {
  readonly todos: readonly Todo[]
  /** How many todos the view has on all its pages. */
  readonly total: number
  readonly pages: number
}

/** Asks the server for a view. Throws what `call` throws. */
export async function readView(
  view: View,
  signal: AbortSignal,
): Promise<Page & { readonly counts: Counts }> {
  const [page, all, open] = await Promise.all([
    readPage(view, signal),
    query({ limit: '1' }, signal),
    query({ limit: '1', completed: 'false' }, signal),
  ])
  return { ...page, counts: { all: all.total, open: open.total, done: all.total - open.total } }
}

const query = (fields: Record<string, string>, signal: AbortSignal): Promise<Answer> =>
  call({ method: 'GET', url: `${api()}?${new URLSearchParams(fields)}`, signal })

/** The todos of a page, with those behind it in the place of those that are being deleted. */
async function readPage({ show, q, page }: View, signal: AbortSignal): Promise<Page> {
  const completed = { all: undefined, open: 'false', done: 'true' }[show]
  const size = pageSize()
  const deleted = noted()
  const todos: Todo[] = []
  for (let offset = (page - 1) * size; ; offset += size) {
    const answer = await query(
      {
        sort: '-id',
        limit: String(size),
        offset: String(offset),
        ...(completed && { completed }),
        ...(q && { q }),
      },
      signal,
    )
    todos.push(...todosIn(answer))
    const staying = todos.filter(({ id }) => !deleted.has(id))
    const isAtEnd = offset + size >= answer.total
    if (deleted.size > 0 && staying.length <= size && !isAtEnd) continue
    const last = Math.ceil(answer.total / size)
    const hasNext = !isAtEnd || staying.length > size
    const pages = hasNext ? last : staying.length > 0 ? page : Math.min(page - 1, last)
    // Those that are being deleted stay among the others, so that Undo finds them at their place.
    const [end] = staying.slice(size - 1)
    return {
      todos: end ? todos.slice(0, todos.indexOf(end) + 1) : todos,
      total: answer.total,
      pages: Math.max(1, pages),
    }
  }
}
