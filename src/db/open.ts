import { type CompiledQuery, type Dialect, Kysely } from 'kysely'
import type { PoolLimits } from './postgresql.ts'
import type { Db, Tables } from './tables.ts'
import { sqlitePath } from './url.ts'

export interface OpenOptions {
  readonly pool: PoolLimits
  readonly onConnectionLost: (error: Error) => void
  /** Hears of each query: what kind of statement it was, how long it took, whether it worked, and itself. */
  readonly onQuery?:
    | ((kind: string, milliseconds: number, worked: boolean, query: CompiledQuery) => void)
    | undefined
}

/**
 * Opens the database that `url` names. Nothing is connected before the first query, so a database
 * that is away is an error of that query.
 */
export async function open(
  url: string,
  { pool, onConnectionLost, onQuery }: OpenOptions,
): Promise<Db> {
  const dialect = await dialectFor(url, pool, onConnectionLost)
  if (!onQuery) return new Kysely<Tables>({ dialect })
  return new Kysely<Tables>({
    dialect,
    log: ({ level, query, queryDurationMillis }) =>
      onQuery(statementOf(query.query.kind), queryDurationMillis, level === 'query', query),
  })
}

/** Where the data is, in words that hold no password. */
export async function describe(url: string): Promise<string> {
  const path = sqlitePath(url)
  if (path !== undefined) return path === ':memory:' ? 'memory' : path
  // Only the client knows, which looks into the URL's query and the environment (PGPORT) as well.
  const { default: pg } = await import('pg')
  const { host, port, database } = new pg.Client(url)
  return `PostgreSQL ${host}:${port}/${database}`
}

/** Loads the client of one database only. */
async function dialectFor(
  url: string,
  pool: PoolLimits,
  onConnectionLost: (error: Error) => void,
): Promise<Dialect> {
  const path = sqlitePath(url)
  if (path === undefined) {
    const { postgresqlDialect } = await import('./postgresql.ts')
    return postgresqlDialect(url, pool, onConnectionLost)
  }
  const { sqliteDialect } = await import('./sqlite.ts')
  return sqliteDialect(path)
}

/** `SelectQueryNode` is `select`; what is not one of the four is `other`. */
const statementOf = (kind: string): string =>
  /^(Select|Insert|Update|Delete)QueryNode$/.exec(kind)?.[1]?.toLowerCase() ?? 'other'
