import { Socket } from 'node:net'
import { PostgresAdapter, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { statementName } from './prepared.ts'

/** All times in milliseconds. */
export interface PoolLimits {
  readonly connections: number
  readonly connectTimeout: number
  readonly statementTimeout: number
  /**
   * Each transaction may run on another connection of a pooler, so nothing of a session may be
   * leant on: no settings of it, no named statements.
   */
  readonly transactionPooling?: boolean
}

// bigint arrives as text by default. Ids and counts here stay below 2^53 (lib/shapes.ts).
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
}

/**
 * A socket that breaks when nothing comes or goes for `patience` milliseconds. PostgreSQL ends a
 * slow statement itself; this gives up a server that vanished, together with the connection, which
 * the pool would otherwise hand out again. Idle connections are closed before it matters.
 */
function impatientSocket(patience: number): Socket {
  const socket = new Socket()
  return socket.setTimeout(patience, () => socket.destroy())
}

/** Connections in use and idle, and how many wait for one. */
export interface PoolUse {
  readonly used: number
  readonly idle: number
  readonly waiting: number
}

/** How many may wait for each connection. */
const WAITING_MAX = 100

/** Knows who waits for a connection, which the pool hands out in the order of asking. */
export class PooledPostgresAdapter extends PostgresAdapter {
  readonly #pool: pg.Pool
  readonly #waiting = new Set<{ readonly since: number }>()
  readonly #named: boolean
  readonly #clients = new WeakMap<pg.PoolClient, PostgresPoolClient>()

  constructor(pool: pg.Pool, named: boolean) {
    super()
    this.#pool = pool
    this.#named = named
  }

  use(): PoolUse {
    const { totalCount, idleCount } = this.#pool
    return { used: totalCount - idleCount, idle: idleCount, waiting: this.#waiting.size }
  }

  /**
   * For how long the first of those has waited who wait, in milliseconds; infinite when there are
   * more than can be served in time, which thousands at one moment are before any has waited.
   */
  longestWait(): number {
    if (this.#waiting.size > WAITING_MAX * this.#pool.options.max) return Number.POSITIVE_INFINITY
    const [first] = this.#waiting
    return first === undefined ? 0 : performance.now() - first.since
  }

  /** Nothing: `migrate.ts` has a lock already, which ends with the transaction. */
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}

  async connect(): Promise<PostgresPoolClient> {
    const wait = { since: performance.now() }
    this.#waiting.add(wait)
    try {
      const client = await this.#pool.connect()
      return this.#named ? this.#naming(client) : client
    } finally {
      this.#waiting.delete(wait)
    }
  }

  #naming(client: pg.PoolClient): PostgresPoolClient {
    const kept = this.#clients.get(client)
    if (kept) return kept
    const naming = namingClient(client)
    this.#clients.set(client, naming)
    return naming
  }
}

/** The same client, which runs prepared statements by their names, so that it parses each once. */
const namingClient = (client: pg.PoolClient): PostgresPoolClient =>
  Object.create(client, {
    query: {
      value: (text: string, values?: unknown[]) =>
        client.query({ name: statementName(text), text, values: values ?? [] }),
    },
  })

class PooledPostgresDialect extends PostgresDialect {
  readonly #adapter: PooledPostgresAdapter

  constructor(pool: pg.Pool, named: boolean, adapter = new PooledPostgresAdapter(pool, named)) {
    super({
      pool: {
        options: pool.options,
        connect: () => adapter.connect(),
        end: () => pool.end(),
      },
    })
    this.#adapter = adapter
  }

  override createAdapter(): PostgresAdapter {
    return this.#adapter
  }
}

/** What PostgreSQL is to end by itself. A pooler refuses a client that asks for it. */
const sessionLimits = ({ statementTimeout }: PoolLimits) => ({
  statement_timeout: statementTimeout,
  idle_in_transaction_session_timeout: statementTimeout + 5_000,
})

/** PostgreSQL at `url`, by a pool whose waits are all bounded. */
export function postgresqlDialect(
  url: string,
  limits: PoolLimits,
  onConnectionLost: (error: Error) => void,
): PostgresDialect {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'todo-app',
    max: limits.connections,
    connectionTimeoutMillis: limits.connectTimeout,
    ...(limits.transactionPooling ? {} : sessionLimits(limits)),
    idleTimeoutMillis: limits.statementTimeout,
    stream: () => impatientSocket(limits.statementTimeout + 1_000),
    keepAlive: true,
    types,
  })
  // A connection that breaks without a listener ends the process. The pool listens to the idle
  // ones only; one at work fails its query as well, which is where the caller hears of it.
  pool.on('error', onConnectionLost)
  pool.on('connect', (client) => client.on('error', () => {}))
  return new PooledPostgresDialect(pool, !limits.transactionPooling)
}
