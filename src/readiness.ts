import { setTimeout as delay } from 'node:timers/promises'
import { type SchemaState, schemaState } from './db/migrate.ts'
import type { Db } from './db/tables.ts'

/** Who asks waits three seconds, and takes silence for a process that hangs. */
const WITHIN = 2000

/** The state of the schema; undefined where the database does not say it in time. */
async function stateWithin(db: Db): Promise<SchemaState | undefined> {
  const answered = new AbortController()
  const late = delay(WITHIN, undefined, { signal: answered.signal }).catch(() => undefined)
  return Promise.race([schemaState(db), late]).finally(() => answered.abort())
}

/**
 * Says what is missing before requests can be served, in words; nothing when they can. A newer
 * schema is no reason: while a new version takes over, the old one goes on serving. The database is asked once for all
 * who ask meanwhile, since nobody who asks is refused.
 */
export function readiness(
  db: Db,
  stopping: { readonly isAnnounced: boolean },
): () => Promise<string[]> {
  let asked: Promise<SchemaState | undefined> | undefined
  return async () => {
    if (stopping.isAnnounced)
      return ['The server is stopping. Another one may be there in a moment.']
    asked ??= stateWithin(db).finally(() => {
      asked = undefined
    })
    const state = await asked
    if (!state) return ['The database does not answer.']
    const isPending = state.pending.length > 0
    return isPending ? ['The database has migrations pending; run `todo migrate`.'] : []
  }
}
