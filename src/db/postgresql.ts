import { Socket } from 'node:net'
import { type PostgresAdapter, PostgresDialect } from 'kysely'
import pg from 'pg'
import { PooledPostgresAdapter } from './pooled-adapter.ts'

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
