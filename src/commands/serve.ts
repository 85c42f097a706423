import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { buildApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { migrate, NewerSchema, schemaState } from '../db/migrate.ts'
import { describe } from '../db/open.ts'
import type { Db } from '../db/tables.ts'
import { resetToDemo } from '../demo.ts'
import * as idempotencyKeys from '../features/idempotency-keys/store.ts'
import * as sessions from '../features/sessions/store.ts'
import * as users from '../features/users/store.ts'
import { openDatabase } from './database.ts'

const HOUR = 60 * 60 * 1000

/**
 * Serves until told to stop. Gives once it listens; throws when the database cannot be brought to
 * the schema of this version, or the port is taken.
 */
export async function serve(config: Config, logger: FastifyBaseLogger): Promise<void> {
  const db = openDatabase(config, logger)
  const housekeeping = new AbortController()
  try {
    await prepare(config, db, logger)
    const app = await buildApp(config, db, logger)
    const signIn = await howToSignIn(config, db)
    await app.listen({
      host: config.host,
      port: config.port,
      listenTextResolver: (url) =>
        `Listening on ${url}, data in ${describe(config.databaseUrl)}. ${signIn(url)}`,
    })
    void keepHouse(db, logger, housekeeping.signal)
    stopOnSignal(config, logger, async () => {
      housekeeping.abort()
      await app.close()
      await db.destroy()
    })
  } catch (error) {
    await db.destroy()
    throw error
  }
}

async function prepare(config: Config, db: Db, logger: FastifyBaseLogger): Promise<void> {
  if (config.resetDb !== '0') {
    await resetToDemo(db, { force: config.resetDb === 'force' })
    logger.warn('RESET_DB: dropped everything and loaded the demo data. Unset it now.')
    return
  }
  if (!config.updateDb) {
    const { unknown } = await schemaState(db)
    if (unknown.length > 0) throw new NewerSchema(unknown)
    return
  }
  const ran = await migrate(db)
  if (ran.length > 0) logger.info({ migrations: ran }, 'migrated the database')
}

/** The sentence by which a newcomer gets in, once the server's URL is known. */
async function howToSignIn(config: Config, db: Db): Promise<(url: string) => string> {
  const { pending } = await schemaState(db)
  if (pending.length > 0) return () => 'Migrations are pending: run `npm run todo -- migrate`.'
  const isFirst = (await users.count(db)) === 0
  return (url) => {
    const signIn = `sign in at ${url}/docs or by POST ${url}/auth/token.`
    if (!isFirst) return `To begin, ${signIn}`
    return config.signup === 'open'
      ? `There is no account yet: make one by POST ${url}${config.apiPrefix}/users/signup, then ${signIn}`
      : `There is no account yet: make one by \`npm run todo -- user create\`, then ${signIn}`
  }
}

/** Deletes what ran out, now and every hour. */
async function keepHouse(db: Db, logger: FastifyBaseLogger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sessions.purge(db)
      await idempotencyKeys.purge(db)
    } catch (error) {
      logger.warn({ err: error }, 'could not delete what ran out; trying again in an hour')
    }
    // Aborting the wait is how housekeeping ends, not a failure of it.
    await delay(HOUR, undefined, { signal, ref: false }).catch(() => {})
  }
}

/** The first SIGTERM or SIGINT lets open requests finish; a second one, or the time limit, does not. */
function stopOnSignal(config: Config, logger: FastifyBaseLogger, stop: () => Promise<void>): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1)
    stopping = true
    logger.info(`${signal}: finishing the open requests`)
    setTimeout(() => {
      logger.error('open requests did not finish within GRACEFUL_TIMEOUT')
      process.exit(1)
    }, config.gracefulTimeout * 1000).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop in order')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}
