import type { Todo } from '../../src/features/todos/schema.ts'
import { type Answer, call } from '../api.ts'
import { pageData } from '../page-data.ts'

/** Where the API's todos are. */
export const api = (): string => pageData('api')
export const pageSize = (): number => Number(pageData('pageSize'))

/** Reads a todo from an answer. Throws when it is none. */
export function todoIn({ body }: Answer): Todo {
  if (!isTodo(body)) throw new Error('The server gave no todo.')
  return body
}

export function todosIn({ body }: Answer): Todo[] {
  if (!Array.isArray(body) || !body.every(isTodo)) throw new Error('The server gave no todos.')
  return body
}

const isTodo = (value: unknown): value is Todo =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  typeof value.id === 'number' &&
  'text' in value &&
  typeof value.text === 'string' &&
  'completed' in value &&
  typeof value.completed === 'boolean' &&
  'updated_at' in value &&
  typeof value.updated_at === 'string'

/** The todo as it is now, with its entity tag. */
export async function get(id: number): Promise<{ todo: Todo; tag: string | undefined }> {
  const answer = await call({ method: 'GET', url: `${api()}/${id}` })
  return { todo: todoIn(answer), tag: answer.tag ?? undefined }
}

/** Changes a todo, where a tag is given only the version that it names. */
export async function change(
  id: number,
  changes: { text?: string; completed?: boolean },
  tag?: string,
): Promise<{ todo: Todo; tag: string | undefined }> {
  const answer = await call({
    method: 'PATCH',
    url: `${api()}/${id}`,
    body: changes,
    headers: tag === undefined ? {} : { 'If-Match': tag },
  })
  return { todo: todoIn(answer), tag: answer.tag ?? undefined }
}

/** Deletes a todo, where a tag is given only the version that it names. */
export async function erase(id: number, tag?: string): Promise<void> {
  await call({
    method: 'DELETE',
    url: `${api()}/${id}`,
    headers: tag === undefined ? {} : { 'If-Match': tag },
  })
}
