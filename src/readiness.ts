import { schemaState } from './db/migrate.ts'
import type { Db } from './db/tables.ts'

/** Says what is missing before the database can serve, in words; nothing when it can. */
export const readiness = (db: Db) => async (): Promise<string[]> => {
  const { pending, unknown } = await schemaState(db)
  return [
    ...(pending.length > 0 ? ['The database has migrations pending; run `todo migrate`.'] : []),
    ...(unknown.length > 0 ? ['The database was migrated by a newer version.'] : []),
  ]
}
