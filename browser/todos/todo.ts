import type { Todo } from '../../src/features/todos/schema.ts'
import { isRecord } from '../../src/lib/record.ts'
import { lineFeeds } from '../../src/lib/text.ts'
import { type Answer, Away, call, Refused } from '../api.ts'
import { pageData } from '../page-data.ts'
import { idOf, learn } from './row.ts'

/** Where the API's todos are. */
export const api = (): string => pageData('api')
export const pageSize = (): number => Number(pageData('pageSize'))

/** A todo with its text as fields have it: what nobody typed in must not look edited. */
const asInFields = (todo: Todo): Todo => ({ ...todo, text: lineFeeds(todo.text) })

/** Reads a todo from an answer. Throws when it is none. */
function todoIn({ body }: Answer): Todo {
  if (!isTodo(body)) throw new Error('The server gave no todo.')
  return asInFields(body)
}

export function todosIn({ body }: Answer): Todo[] {
  if (!Array.isArray(body) || !body.every(isTodo)) throw new Error('The server gave no todos.')
  return body.map(asInFields)
}

const isTodo = (value: unknown): value is Todo =>
  isRecord(value) &&
  typeof value.id === 'number' &&
  typeof value.text === 'string' &&
  typeof value.completed === 'boolean' &&
  typeof value.updated_at === 'string'

interface Tagged {
  readonly todo: Todo
  readonly tag: string | undefined
}

const taggedIn = (answer: Answer): Tagged => ({
  todo: todoIn(answer),
  tag: answer.tag ?? undefined,
})

/** The todo as it is now, with its entity tag. */
export async function get(id: number): Promise<Tagged> {
  return taggedIn(await call({ method: 'GET', url: `${api()}/${id}` }))
}

/** Learns what the server has of a row's todo now. */
export async function look(row: HTMLElement): Promise<void> {
  const { todo, tag } = await get(idOf(row))
  learn(row, todo, tag)
}

/** Adds a todo, once for each key. */
export async function create(text: string, key: string): Promise<Tagged> {
  try {
    const headers = { 'Idempotency-Key': key }
    return taggedIn(await call({ method: 'POST', url: api(), body: { text }, headers }))
  } catch (error) {
    // Another page is at it, or an earlier try.
    if (error instanceof Refused && error.status === 409) throw new Away(undefined)
    throw error
  }
}

/** Changes a todo, where a tag is given only the version that it names. */
export async function change(
  id: number,
  changes: { text?: string; completed?: boolean },
  tag?: string,
): Promise<Tagged> {
  const answer = await call({
    method: 'PATCH',
    url: `${api()}/${id}`,
    body: changes,
    headers: tag === undefined ? {} : { 'If-Match': tag },
  })
  return taggedIn(answer)
}

/** What the server had at a moment. */
export interface Version {
  /** Undefined when only a list told of it, which names no tags. */
  readonly tag: string | undefined
  readonly updated_at: string
}

/** The tag of a version. Throws a 412 when it is the present one no more. */
export async function tagOf(id: number, version: Version): Promise<string | undefined> {
  if (version.tag !== undefined) return version.tag
  const { todo, tag } = await get(id)
  if (todo.updated_at !== version.updated_at) throw new Refused(412, 'It was changed.')
  return tag
}

/** Deletes a version of a todo. Throws a 412 when somebody changed the todo since. */
export async function erase(id: number, version: Version): Promise<void> {
  const tag = await tagOf(id, version)
  await call({
    method: 'DELETE',
    url: `${api()}/${id}`,
    headers: tag === undefined ? {} : { 'If-Match': tag },
  })
}
