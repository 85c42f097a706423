import {
  AbortedTransactionError,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import type pg from 'pg'
import type { PostgresqlConnections } from './postgresql-connections.ts'
import { isSpent } from './postgresql-failure.ts'
import { isPrepared } from './prepared.ts'

/** What one query or one transaction uses; only the transaction has a connection from start to end. */
class PostgresqlSession implements DatabaseConnection {
  readonly #connections: PostgresqlConnections
  readonly #isNaming: boolean
  #client: pg.PoolClient | undefined
  #isSpent = false

  constructor(connections: PostgresqlConnections, isNaming: boolean) {
    this.#connections = connections
    this.#isNaming = isNaming
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return resultOf(await this.#run(query))
  }

  #run(query: CompiledQuery): Promise<pg.QueryResult> {
    const statement: pg.QueryConfig = { text: query.sql, values: [...query.parameters] }
    const isBrief = isPrepared(query) && query.isBrief
    // What is not brief has no name, so it is planned for its values at each run.
    if (this.#isNaming && isBrief) statement.name = query.name
    if (this.#client) return this.#runWithin(this.#client, statement)
    // A write waits for the disk, and is sooner done beside others, whose commits are one with it.
    return isBrief && query.query.kind === 'SelectQueryNode'
      ? this.#connections.runShared(statement)
      : this.#connections.runAlone(statement, isBrief)
  }

  async #runWithin(client: pg.PoolClient, statement: pg.QueryConfig): Promise<pg.QueryResult> {
    try {
      return await client.query(statement)
    } catch (error) {
      this.#isSpent ||= isSpent(error)
      throw error
    }
  }

  /** Gives all rows at once. */
  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query)
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    this.#client = await this.#connections.connect()
    const level = isolationLevel ? ` isolation level ${isolationLevel}` : ''
    await this.#client.query(`start transaction${level} ${accessMode ?? ''}`)
  }

  async commit(): Promise<void> {
    const result = await this.#client?.query('commit')
    // PostgreSQL answers so, without an error, where a statement of the transaction has failed.
    if (result?.command === 'ROLLBACK') throw new AbortedTransactionError()
  }

  async rollback(): Promise<void> {
    try {
      await this.#client?.query('rollback')
    } catch (error) {
      this.#isSpent = true
      throw error
    }
  }

  release(): void {
    this.#client?.release(this.#isSpent)
    this.#client = undefined
    this.#isSpent = false
  }
}

const CHANGING: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

function resultOf<Row>({ command, rowCount, rows }: pg.QueryResult): QueryResult<Row> {
  return CHANGING.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows }
}

export class PostgresqlDriver implements Driver {
  readonly #connections: PostgresqlConnections
  readonly #isNaming: boolean
  /** Those not in use; Kysely prepares each new one for its log. */
  readonly #idle: PostgresqlSession[] = []

  /** With `isNaming`, brief statements that were prepared are kept by PostgreSQL under their names. */
  constructor(connections: PostgresqlConnections, isNaming: boolean) {
    this.#connections = connections
    this.#isNaming = isNaming
  }

  /** Nothing: a database that is away is an error of the query. */
  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresqlSession> {
    return this.#idle.pop() ?? new PostgresqlSession(this.#connections, this.#isNaming)
  }

  async releaseConnection(session: PostgresqlSession): Promise<void> {
    session.release()
    this.#idle.push(session)
  }

  beginTransaction(session: PostgresqlSession, settings: TransactionSettings): Promise<void> {
    return session.begin(settings)
  }

  commitTransaction(session: PostgresqlSession): Promise<void> {
    return session.commit()
  }

  rollbackTransaction(session: PostgresqlSession): Promise<void> {
    return session.rollback()
  }

  destroy(): Promise<void> {
    return this.#connections.end()
  }
}
