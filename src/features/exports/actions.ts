import type { Db } from '../../db/tables.ts'
import { unauthenticated } from '../../lib/problem.ts'
import { now } from '../../lib/time.ts'
import * as sessions from '../sessions/list-store.ts'
import { findUser } from '../sessions/store.ts'
import * as todos from '../todos/list-store.ts'
import type { User } from '../users/schema.ts'
import * as users from '../users/store.ts'
import type { ExportedSession, ExportedTodo } from './schema.ts'

/**
 * How many todos or sessions are in memory at a time. Of the longest that is 800 KB or 300 KB, for as long as a reader stops.
 */
const TODOS = 100
const SESSIONS = 500
/** So many characters are handed over at a time, at least. */
const PIECE = 16 * 1024
const BY_ID = { sort: 'id', descending: false } as const

/**
 * All data of an account as the text of one `Export`, in pieces, one todo or session a line. Throws 404 at once
 * where there is no account. It is no snapshot: a transaction would be open for as long as a slow
 * reader reads, and on SQLite nobody could write meanwhile. Each todo and session that is there all the time
 * comes once. It throws 401 in the middle when the caller's session has ended.
 */
export async function exportOf(db: Db, caller: ExportCaller): Promise<AsyncGenerator<string>> {
  return pieces(db, await users.get(db, caller.id), caller)
}

/** Whose export it is, and the session that asked for it. */
interface ExportCaller {
  readonly id: number
  readonly session_id: number
}

async function* pieces(db: Db, account: User, caller: ExportCaller): AsyncGenerator<string> {
  const head = { format: 'todo-app-export', version: 1, exported_at: now(), account }
  yield `${JSON.stringify(head).slice(0, -1)},"sessions":[`
  // Also those that cannot go on: they are the person's data too.
  yield* lines(
    SESSIONS,
    (id) => whileSignedIn(db, caller, () => sessions.listAfter(db, account.id, id, SESSIONS)),
    exportedSession,
  )
  yield '\n],"todos":['
  yield* lines(
    TODOS,
    (id) => {
      const cursor = { direction: 'after', key: '', id } as const
      return whileSignedIn(db, caller, () =>
        todos.list(db, account.id, {}, BY_ID, { cursor }, TODOS),
      )
    },
    exportedTodo,
  )
  yield '\n]}\n'
}

/** What was read while the session lived: it is looked for afterwards, so that nothing is given that came later. */
async function whileSignedIn<Rows>(
  db: Db,
  { id, session_id }: ExportCaller,
  read: () => Promise<Rows>,
): Promise<Rows> {
  const rows = await read()
  if (await findUser(db, id, session_id)) return rows
  throw unauthenticated('The session that asked for the export has ended.')
}

/** The members of an array in JSON, which `read` gives by id, `batch` after the one with an id. */
async function* lines<Row extends { readonly id: number }>(
  batch: number,
  read: (id: number) => Promise<Row[]>,
  exported: (row: Row) => object,
): AsyncGenerator<string> {
  let piece = ''
  let before = '\n'
  for (let last = 0; ; ) {
    const rows = await read(last)
    for (const row of rows) {
      piece += before + JSON.stringify(exported(row))
      before = ',\n'
      if (piece.length < PIECE) continue
      yield piece
      piece = ''
    }
    if (rows.length < batch) break
    last = rows.at(-1)?.id ?? last
  }
  if (piece !== '') yield piece
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
