import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { type OpenOptions, open } from '../db/open.ts'
import type { Db } from '../db/tables.ts'

/** Opens the configured database; what befalls idle connections goes to the log. */
export const openDatabase = (
  config: Config,
  logger: FastifyBaseLogger,
  onQuery?: OpenOptions['onQuery'],
): Promise<Db> =>
  open(config.databaseUrl, {
    onQuery,
    pool: config.pool,
    onConnectionLost: (error) => logger.warn({ err: error }, 'lost an idle database connection'),
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
