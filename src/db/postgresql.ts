import { PostgresDialect } from 'kysely'
import pg from 'pg'

/** All times in milliseconds. */
export interface PoolLimits {
  readonly connections: number
  readonly connectTimeout: number
  readonly statementTimeout: number
}

// bigint arrives as text by default. Ids and counts here stay below 2^53 (lib/shapes.ts).
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
}

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
    statement_timeout: limits.statementTimeout,
    // The server ends a slow statement; this ends the wait for a server that no longer answers.
    query_timeout: limits.statementTimeout + 1_000,
    idle_in_transaction_session_timeout: limits.statementTimeout + 5_000,
    keepAlive: true,
    types,
  })
  // Without a listener, an idle connection that breaks would end the process. The pool has dropped
  // it already and makes a new one when asked.
  pool.on('error', onConnectionLost)
  return new PostgresDialect({ pool })
}
