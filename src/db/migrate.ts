import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { hasTable, takenNames } from './dialect.ts'
import { exclusively, isLocked, LOCK_TABLE, namingHolders } from './migration-lock.ts'
import { migrations } from './migrations/index.ts'
import { isOvertaken } from './overtaken.ts'
import { DatabaseRefused } from './refusal.ts'
import { type Db, derivedTableNames, tableNames } from './tables.ts'
import { ForeseenError } from '../lib/foreseen.ts'

/** The database was migrated by a newer release, whose schema this one does not know. */
export class NewerSchema extends ForeseenError {
  constructor(unknown: readonly string[]) {
    super(
      `The database has migrations that this version does not know: ${unknown.join(', ')}. ` +
        'It was used by a newer version. Start that version, or restore a backup made before it.',
    )
    this.name = 'NewerSchema'
  }
}

export interface SchemaState {
  readonly pending: readonly string[]
  readonly unknown: readonly string[]
  /** Whether none that this version knows ran ever. */
  readonly isNew: boolean
}

/** Where it is written down which migrations ran. */
export const MIGRATIONS_TABLE = 'kysely_migration'

/** How long to try to have what others hold, in milliseconds. */
const PATIENCE = 10 * 60_000
/** How long others have their turn between two tries. */
const PAUSE = 1_000
/** What is longer about a try than any wait for a lock was the work of the migrations, which takes what it takes. */
const WAIT_MAX = 6_000

const migratorOf = (db: Db): Migrator =>
  new Migrator({
    db,
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: LOCK_TABLE,
    provider: { getMigrations: async () => ({ ...migrations }) },
  })

/**
 * Which migrations are still to run, and which ran that this version does not know. Throws
 * `DatabaseRefused` for a database of something else, which has tables that are called as ours.
 */
export async function schemaState(db: Db): Promise<SchemaState> {
  if (!(await hasTable(db, MIGRATIONS_TABLE))) {
    await refuseForeign(db)
    return stateAfter([])
  }
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.table(MIGRATIONS_TABLE)}`.execute(db)
  return stateAfter(rows.map((row) => row.name))
}

async function refuseForeign(db: Db): Promise<void> {
  const taken = await takenNames(db, [...tableNames, ...derivedTableNames, MIGRATIONS_TABLE])
  // Another process migrated meanwhile: all of it is there at once.
  if (taken.length === 0 || taken.includes(MIGRATIONS_TABLE)) return
  throw new DatabaseRefused(
    `The database has tables that are not this service's (${taken.join(', ')}). ` +
      'It is left as it is. Name an empty one.',
  )
}

/** The same, of a database in which these migrations ran. */
export function stateAfter(ran: readonly string[]): SchemaState {
  const known = Object.keys(migrations)
  const pending = known.filter((name) => !ran.includes(name))
  const unknown = ran.filter((name) => !known.includes(name))
  return { pending, unknown, isNew: pending.length === known.length }
}

/** Which migrations are still to run. Throws `NewerSchema`. */
export async function pendingMigrations(db: Db): Promise<readonly string[]> {
  const { pending, unknown } = await schemaState(db)
  if (unknown.length > 0) throw new NewerSchema(unknown)
  return pending
}

/**
 * Brings the schema up to date and gives the names of the migrations that ran here. Safe to call
 * from many processes at once: one migrates, the others wait for it and find nothing to do. What others
 * hold that a migration needs is waited for too, for `patience` milliseconds.
 * Throws `NewerSchema`, or the error of the migration that failed.
 */
export async function migrate(db: Db, patience = PATIENCE): Promise<string[]> {
  let waited = 0
  while ((await pendingMigrations(db)).length > 0) {
    const began = performance.now()
    try {
      const ran = await exclusively(db, runPending)
      if (ran) return ran
    } catch (error) {
      // Who was overtaken, perhaps by a process that migrated meanwhile, looks again as well.
      if (!isLocked(error) && !isOvertaken(error)) throw error
      waited += Math.min(performance.now() - began, WAIT_MAX) + PAUSE
      if (waited > patience) throw isLocked(error) ? await namingHolders(db, error) : error
    }
    await delay(PAUSE)
  }
  return []
}

async function runPending(db: Db): Promise<string[]> {
  const { error, results } = await migratorOf(db).migrateToLatest()
  if (error) throw error
  return (results ?? []).map((result) => result.migrationName)
}

/**
 * Drops the tables of this product, whatever is in them; those of others are left alone. Throws
 * `DatabaseRefused` for a database of something else.
 */
export async function dropAll(db: Db): Promise<void> {
  await db.transaction().execute(async (db) => {
    const { isNew } = await schemaState(db)
    // Nothing is ours, and by its name alone what is another's would go.
    if (isNew) return
    for (const name of [
      ...derivedTableNames,
      ...tableNames.toReversed(),
      MIGRATIONS_TABLE,
      LOCK_TABLE,
    ]) {
      await db.schema.dropTable(name).ifExists().execute()
    }
  })
}
