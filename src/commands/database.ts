import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { pendingMigrations } from '../db/migrate.ts'
import { type OpenOptions, open } from '../db/open.ts'
import { DatabaseRefused, refuseIfMissing } from '../db/refusal.ts'
import type { Db } from '../db/tables.ts'
import { sqliteFile } from '../db/url.ts'
import { codeOf } from '../lib/code.ts'

/** Opens the configured database; what befalls idle connections goes to the log. */
export const openDatabase = (
  config: Config,
  logger: FastifyBaseLogger,
  onQuery?: OpenOptions['onQuery'],
): Promise<Db> =>
  open(config.databaseUrl, {
    onQuery,
    pool: config.pool,
    // The error holds the whole connection, with the key that cancels its statements.
    onConnectionLost: (error) =>
      logger.warn(
        { reason: error.message, code: codeOf(error) },
        'lost an idle database connection',
      ),
  })

/** Opens the database for `work` alone. */
export async function withDatabase<Result>(
  config: Config,
  logger: FastifyBaseLogger,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  const db = await openDatabase(config, logger)
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}

/** The same, for work that must find a database of this version and leaves its schema alone. */
export async function withMigratedDatabase<Result>(
  config: Config,
  logger: FastifyBaseLogger,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  refuseToMake(config)
  return withDatabase(config, logger, async (db) => {
    if ((await pendingMigrations(db)).length > 0) {
      throw new DatabaseRefused('The database has migrations pending: run `todo migrate` first.')
    }
    return work(db)
  })
}

/** Throws `DatabaseRefused` when there is no such SQLite file, which opening it would make. */
export function refuseToMake({ databaseUrl }: Config): void {
  const path = sqliteFile(databaseUrl)
  if (path !== undefined) refuseIfMissing(path)
}
