import { setTimeout as delay } from 'node:timers/promises'
import { schemaState } from './db/migrate.ts'
import type { Db } from './db/tables.ts'

/** Who asks waits three seconds, and takes silence for a process that hangs. */
const WITHIN = 2000

/**
 * Says what is missing before requests can be served, in words; nothing when they can. A newer
 * schema is no reason: while a new version takes over, the old one goes on serving.
 */
export const readiness =
  (db: Db, stopping: { readonly isAnnounced: boolean }) => async (): Promise<string[]> => {
    if (stopping.isAnnounced)
      return ['The server is stopping. Another one may be there in a moment.']
    const asked = new AbortController()
    const late = delay(WITHIN, undefined, { signal: asked.signal }).catch(() => undefined)
    const state = await Promise.race([schemaState(db), late]).finally(() => asked.abort())
    if (!state) return ['The database does not answer.']
    const { pending } = state
    return pending.length > 0 ? ['The database has migrations pending; run `todo migrate`.'] : []
  }
