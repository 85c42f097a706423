import type { FastifyBaseLogger } from 'fastify'
import { buildApp } from './app.ts'
import { openDatabase } from './commands/database.ts'
import type { ServiceConfig } from './config/config.ts'
import { poolUse } from './db/dialect.ts'
import { migrate, pendingMigrations, schemaState } from './db/migrate.ts'
import { NotConnected } from './db/not-connected.ts'
import { describe } from './db/open.ts'
import { DatabaseRefused } from './db/refusal.ts'
import type { Db } from './db/tables.ts'
import { resetToDemo } from './demo.ts'
import * as users from './features/users/store.ts'
import { keepHouse } from './housekeeping.ts'
import type { Snapshot } from './http/metrics.ts'
import { listenAt } from './listening.ts'
import { releaseMemoryAtRest } from './release-memory.ts'
import { version } from './version.ts'

/**
 * What to do to the database before serving: at a start it is reset or migrated as configured, at a
 * restart with perhaps a new version only migrated. A further worker mostly finds it done; it migrates
 * where it runs newer files than the others, and goes on where a newer version has migrated.
 */
export type Preparation = 'start' | 'restart' | 'none'

/** What a service needs of the process that watches over it and others. */
export interface Supervision {
  /** The metrics of all processes that serve. */
  metrics(): Promise<string>
  /** Hears that the start may take long. */
  onMigrating(): void
}

/** A service that is ready to listen. */
export interface Service {
  /** Gives once it listens; throws, with the database closed, when the port is taken. */
  listen(): Promise<void>
  /** From now on deletes what ran out, every hour. */
  keepHouse(): void
  /** Says on `/ready` that it will stop, and serves on. */
  announceStop(): void
  /** Finishes the open requests and closes everything, also while it begins to listen. */
  stop(): Promise<void>
  /** How many requests came so far. */
  requests(): number
  /** What this process counted; nothing unless metrics are on. */
  metrics(): Promise<Snapshot>
}

/**
 * Opens the database, prepares it, and builds what is served. Throws when the database cannot be
 * brought to the schema of this version.
 */
export async function prepareService(
  config: ServiceConfig,
  logger: FastifyBaseLogger,
  preparation: Preparation,
  supervision?: Supervision,
): Promise<Service> {
  const isMeasured = config.metrics || config.metricsPort !== undefined
  const library = isMeasured ? await import('./http/metrics.ts') : undefined
  const metrics = library?.countedMetrics(version)
  const snapshot = async () => (await metrics?.snapshot()) ?? []
  const db = await openDatabase(config, logger, metrics?.query)
  metrics?.watchPool(() => poolUse(db))
  try {
    // The database is asked while this process builds what it serves.
    const [announcement, app] = await Promise.all([
      prepare(config, db, logger, preparation, supervision),
      buildApp(config, db, logger, {
        watch: metrics?.watch,
        route: library?.metricsRoute(
          supervision?.metrics ?? (async () => library.sumOf([await snapshot()])),
        ),
      }),
    ])
    const stopping = new AbortController()
    let listening: Promise<unknown> | undefined
    return {
      async listen() {
        try {
          const { host, port } = config
          listening = listenAt(config, 'PORT', () =>
            app.listen({ host, port, listenTextResolver: announcement }),
          )
          await listening
        } catch (error) {
          await db.destroy()
          throw error
        }
        void releaseMemoryAtRest(() => app.drain.requests, stopping.signal)
      },
      keepHouse: () => void keepHouse(db, logger, stopping.signal),
      announceStop: app.drain.announce,
      async stop() {
        stopping.abort()
        // Should the port be taken, `listen` says so.
        await listening?.catch(() => {})
        await app.drain.finish()
        await app.close()
        await db.destroy()
      },
      requests: () => app.drain.requests,
      metrics: snapshot,
    }
  } catch (error) {
    await db.destroy()
    throw error
  }
}

/** Prepares the database, and gives what to say once the server's URL is known. */
async function prepare(
  config: ServiceConfig,
  db: Db,
  logger: FastifyBaseLogger,
  preparation: Preparation,
  supervision: Supervision | undefined,
): Promise<(url: string) => string> {
  const isPending = await bringUpToDate(config, db, logger, preparation, supervision)
  return preparation === 'start'
    ? howToBegin(config, db, isPending)
    : (url) => `Listening on ${url}`
}

/** Gives whether migrations are still pending, which they may be only where they are not to run here. */
async function bringUpToDate(
  config: ServiceConfig,
  db: Db,
  logger: FastifyBaseLogger,
  preparation: Preparation,
  supervision: Supervision | undefined,
): Promise<boolean> {
  if (preparation === 'start' && config.resetDb !== '0') {
    await resetToDemo(db, { force: config.resetDb === 'force' })
    logger.warn('RESET_DB: dropped everything and loaded the demo data. Unset it now.')
    return false
  }
  const pending =
    preparation === 'none' ? await pendingForOneMore(config, db) : await pendingMigrations(db)
  if (pending.length === 0 || !config.updateDb) return pending.length > 0
  supervision?.onMigrating()
  logger.info('migrating the database, once no other process does')
  const ran = await migrate(db)
  if (ran.length > 0) logger.info({ migrations: ran }, 'migrated the database')
  return false
}

/** What one more worker is to migrate; nothing where it may not, or the database is away, without which the others go on too. */
async function pendingForOneMore({ updateDb }: ServiceConfig, db: Db): Promise<readonly string[]> {
  if (!updateDb) return []
  try {
    const { pending, isNew } = await schemaState(db)
    if (!isNew) return pending
  } catch (error) {
    if (error instanceof NotConnected) return []
    throw error
  }
  throw new DatabaseRefused(
    'The database that the other workers serve is not there: this one is empty.',
  )
}

/** What a newcomer needs to know, once the server's URL is known. */
async function howToBegin(
  config: ServiceConfig,
  db: Db,
  isPending: boolean,
): Promise<(url: string) => string> {
  const data = await describe(config.databaseUrl)
  const place = (url: string) => `Listening on ${url}, data in ${data}.`
  if (isPending) {
    return (url) => `${place(url)} Migrations are pending: run \`npm run todo -- migrate\`.`
  }
  const isFirst = !(await users.isAny(db))
  return (url) => {
    if (!isFirst) return `${place(url)} Open it in a browser.`
    return config.signup === 'open'
      ? `${place(url)} There is no account yet: make one at ${url}/signup.`
      : `${place(url)} There is no account yet: make one by \`npm run todo -- user create\`.`
  }
}
