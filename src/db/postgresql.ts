import { Socket } from 'node:net'
import { type Dialect, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import pg from 'pg'
import { PooledPostgresAdapter } from './postgresql-adapter.ts'
import { PostgresqlConnections } from './postgresql-connections.ts'
import { PostgresqlDriver } from './postgresql-driver.ts'

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

/** How long a connection says nothing before the operating system asks whether the other end is there. */
const KEEP_ALIVE_DELAY = 10_000

/**
 * A socket that breaks when nothing comes or goes for `patience` milliseconds. PostgreSQL ends a
 * slow statement itself; this gives up a server that vanished, together with the connection, which
 * the pool would otherwise hand out again. Idle connections are closed before it matters. While
 * `isPatient` says so, only a server that does not answer the operating system is given up.
 */
function impatientSocket(patience: number, isPatient: () => boolean): Socket {
  const socket = new Socket()
  return socket.setTimeout(patience, () => {
    if (!isPatient()) socket.destroy()
  })
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
): Dialect {
  const keepsSettings = !(limits.transactionPooling ?? false)
  const config: pg.PoolConfig = {
    connectionString: url,
    application_name: 'todo-app',
    max: limits.connections,
    connectionTimeoutMillis: limits.connectTimeout,
    ...(keepsSettings ? sessionLimits(limits) : {}),
    idleTimeoutMillis: limits.statementTimeout,
    stream: () => impatientSocket(limits.statementTimeout + 1_000, () => connections.isPatient),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY,
    types,
  }
  const connections = new PostgresqlConnections(config, keepsSettings, onConnectionLost)
  const adapter = new PooledPostgresAdapter(connections)
  return {
    createDriver: () => new PostgresqlDriver(connections, keepsSettings),
    createAdapter: () => adapter,
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  }
}
