import type { Db } from '../../db/tables.ts'
import { now } from '../../lib/time.ts'
import * as sessions from '../sessions/list-store.ts'
import * as todos from '../todos/list-store.ts'
import type { User } from '../users/schema.ts'
import * as users from '../users/store.ts'
import type { ExportedSession, ExportedTodo } from './schema.ts'

/** How many todos are in memory at a time. */
const BATCH = 500
const BY_ID = { sort: 'id', descending: false } as const

/**
 * All data of an account as the text of one `Export`, in pieces, one todo a line. Throws 404 at once
 * where there is no account. It is no snapshot: a transaction would be open for as long as a slow
 * reader reads, and on SQLite nobody could write meanwhile. Each todo that is there all the time
 * comes once.
 */
export async function exportOf(db: Db, userId: number): Promise<AsyncGenerator<string>> {
  const account = await users.get(db, userId)
  // Also those that cannot go on: they are the person's data too.
  const list = await sessions.list(db, userId)
  return pieces(db, account, list.map(exportedSession))
}

async function* pieces(
  db: Db,
  account: User,
  list: readonly ExportedSession[],
): AsyncGenerator<string> {
  const head = {
    format: 'todo-app-export',
    version: 1,
    exported_at: now(),
    account,
    sessions: list,
  }
  yield `${JSON.stringify(head).slice(0, -1)},"todos":[`
  let before = '\n'
  for (let last = 0; ; ) {
    const cursor = { direction: 'after', key: '', id: last } as const
    const page = await todos.list(db, account.id, {}, BY_ID, { cursor }, BATCH)
    const lines = page.map((todo) => JSON.stringify(exportedTodo(todo)))
    if (lines.length > 0) yield before + lines.join(',\n')
    if (page.length < BATCH) break
    before = ',\n'
    last = page.at(-1)?.id ?? last
  }
  yield '\n]}\n'
}

const exportedSession = ({ is_browser, ...session }: sessions.ListedSession): ExportedSession => ({
  ...session,
  kind: is_browser ? 'browser' : 'api',
})

const exportedTodo = ({
  id,
  text,
  completed,
  completed_at,
  created_at,
  updated_at,
}: ExportedTodo): ExportedTodo => ({ id, text, completed, completed_at, created_at, updated_at })
