import type { Db } from '../../db/tables.ts'
import { now } from '../../lib/time.ts'
import * as sessions from '../sessions/list-store.ts'
import * as todos from '../todos/list-store.ts'
import type { User } from '../users/schema.ts'
import * as users from '../users/store.ts'
import type { ExportedSession, ExportedTodo } from './schema.ts'

/** How many todos or sessions are in memory at a time. */
const BATCH = 500
const BY_ID = { sort: 'id', descending: false } as const

/**
 * All data of an account as the text of one `Export`, in pieces, one todo or session a line. Throws 404 at once
 * where there is no account. It is no snapshot: a transaction would be open for as long as a slow
 * reader reads, and on SQLite nobody could write meanwhile. Each todo and session that is there all the time
 * comes once.
 */
export async function exportOf(db: Db, userId: number): Promise<AsyncGenerator<string>> {
  return pieces(db, await users.get(db, userId))
}

async function* pieces(db: Db, account: User): AsyncGenerator<string> {
  const head = { format: 'todo-app-export', version: 1, exported_at: now(), account }
  yield `${JSON.stringify(head).slice(0, -1)},"sessions":[`
  // Also those that cannot go on: they are the person's data too.
  yield* lines((id) => sessions.listAfter(db, account.id, id, BATCH), exportedSession)
  yield '\n],"todos":['
  yield* lines((id) => {
    const cursor = { direction: 'after', key: '', id } as const
    return todos.list(db, account.id, {}, BY_ID, { cursor }, BATCH)
  }, exportedTodo)
  yield '\n]}\n'
}

/** The members of an array in JSON, which `read` gives by id, a batch after the one with an id. */
async function* lines<Row extends { readonly id: number }>(
  read: (id: number) => Promise<Row[]>,
  exported: (row: Row) => object,
): AsyncGenerator<string> {
  let before = '\n'
  for (let last = 0; ; ) {
    const page = await read(last)
    if (page.length > 0) {
      yield before + page.map((row) => JSON.stringify(exported(row))).join(',\n')
    }
    if (page.length < BATCH) return
    before = ',\n'
    last = page.at(-1)?.id ?? last
  }
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
