import { schemaState } from './db/migrate.ts'
import type { Db } from './db/tables.ts'

/**
 * Says what is missing before requests can be served, in words; nothing when they can. A newer
 * schema is no reason: while a new version takes over, the old one goes on serving.
 */
export const readiness =
  (db: Db, stopping: { readonly isAnnounced: boolean }) => async (): Promise<string[]> => {
    if (stopping.isAnnounced)
      return ['The server is stopping. Another one may be there in a moment.']
    const { pending } = await schemaState(db)
    return pending.length > 0 ? ['The database has migrations pending; run `todo migrate`.'] : []
  }
