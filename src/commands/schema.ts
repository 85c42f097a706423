import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { migrate } from '../db/migrate.ts'
import { resetToDemo } from '../demo.ts'
import { withDatabase } from './database.ts'

/** `todo migrate`: gives the lines to print. */
export async function migrateDatabase(
  config: Config,
  logger: FastifyBaseLogger,
): Promise<string[]> {
  const ran = await withDatabase(config, logger, migrate)
  return ran.length > 0 ? ran.map((name) => `Ran ${name}.`) : ['Nothing to migrate.']
}

/** `todo reset`: gives the lines to print. */
export async function resetDatabase(
  config: Config,
  logger: FastifyBaseLogger,
  options: { force: boolean },
): Promise<string[]> {
  await withDatabase(config, logger, (db) => resetToDemo(db, options))
  return ['Dropped everything and loaded the demo data.']
}
