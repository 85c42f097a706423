import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { copyAll } from '../db/copy.ts'
import { describe } from '../db/open.ts'
import type { TableCount } from '../db/queries.ts'
import { DatabaseRefused } from '../db/refusal.ts'
import { tableNames } from '../db/tables.ts'
import { refuseToMake, withDatabase } from './database.ts'

/**
 * `todo copy`: copies everything from one database to another, empty one, of either kind, and
 * compares every row. Gives the lines to print; throws `DatabaseRefused`.
 */
export async function copyBetween(
  from: Config,
  to: Config,
  logger: FastifyBaseLogger,
): Promise<string[]> {
  const source = await describe(from.databaseUrl)
  const destination = await describe(to.databaseUrl)
  if (source === destination) {
    throw new DatabaseRefused('The source and the destination are the same database.')
  }
  refuseToMake(from)
  const counts = await withDatabase(from, logger, (from) =>
    withDatabase(to, logger, (to) => copyAll(from, to)),
  )
  return [...tableLines(counts), `Copied ${source} to ${destination}, and compared every row.`]
}

/** One line for each table of this service with its number of rows. */
export function tableLines(counts: readonly TableCount[]): string[] {
  const known: readonly string[] = tableNames
  return counts
    .filter(({ name }) => known.includes(name))
    .map(({ name, rows }) => `${String(rows).padStart(10)}  ${name}`)
}
