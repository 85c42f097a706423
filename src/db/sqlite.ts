import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { SqliteConnection } from './sqlite-database.ts'
import { SharedSnapshot } from './sqlite-reads.ts'
import { SharedCommit, whenUnlocked } from './sqlite-writes.ts'

/** One connection that all writes share, and one for the reads, which so wait for no write. */
class Connections {
  readonly writer: SqliteConnection
  /** None for a database in memory, of which no second connection knows. */
  readonly reads: SharedSnapshot | undefined
  readonly writes: SharedCommit

  constructor(path: string) {
    this.writer = SqliteConnection.forWriting(path)
    this.reads =
      path === ':memory:' ? undefined : new SharedSnapshot(SqliteConnection.forReading(path))
    this.writes = new SharedCommit(this.writer, () => this.reads?.end())
  }

  close(): void {
    this.writes.close()
    this.reads?.close()
    // The last one to close brings the write-ahead log into the file.
    this.writer.close()
  }
}

const isReading = ({ query, sql }: CompiledQuery): boolean =>
  query.kind === 'SelectQueryNode' || /^\s*select\b/i.test(sql)

/** What one query or one transaction uses. */
class SqliteSession implements DatabaseConnection {
  readonly #connections: Connections
  #isInTransaction = false
  /** What the last statement that failed in the transaction did so for. */
  #failure: unknown

  constructor(connections: Connections) {
    this.#connections = connections
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { writer, reads, writes } = this.#connections
    const run = (on: SqliteConnection | SharedSnapshot) => on.run<Row>(query.sql, query.parameters)
    if (this.#isInTransaction) return this.#inTransaction(() => run(writer))
    if (reads && isReading(query)) return whenUnlocked(() => run(reads))
    await writes.begin()
    let result: QueryResult<Row>
    try {
      // A statement that fails has changed nothing, so it needs no savepoint.
      result = run(writer)
    } catch (error) {
      writes.abandon(error)
      throw error
    }
    await writes.end()
    return result
  }

  /** Gives all rows at once: an unfinished read would hold back what the other reads see. */
  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query)
  }

  #inTransaction<Result>(statement: () => Result): Result {
    try {
      return statement()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  async begin(): Promise<void> {
    const { writer, writes } = this.#connections
    await writes.begin()
    writer.run('savepoint member', [])
    this.#isInTransaction = true
    this.#failure = undefined
  }

  async commit(): Promise<void> {
    const { writer, writes } = this.#connections
    this.#inTransaction(() => writer.run('release member', []))
    this.#isInTransaction = false
    await writes.end()
  }

  async rollback(): Promise<void> {
    // Kysely also rolls back what could not be committed, which is over already.
    if (!this.#isInTransaction) return
    this.#isInTransaction = false
    const { writer, writes } = this.#connections
    if (writer.isInTransaction) {
      writer.run('rollback to member', [])
      writer.run('release member', [])
    }
    writes.abandon(this.#failure)
  }
}

class NodeSqliteDriver implements Driver {
  readonly #path: string
  /** Those not in use; Kysely prepares each new one for its log. */
  readonly #idle: SqliteSession[] = []
  #connections: Connections | undefined

  constructor(path: string) {
    this.#path = path
  }

  async init(): Promise<void> {
    this.#connections = await whenUnlocked(() => new Connections(this.#path))
  }

  async acquireConnection(): Promise<SqliteSession> {
    const idle = this.#idle.pop()
    if (idle) return idle
    if (!this.#connections) throw new Error('the database is not open')
    return new SqliteSession(this.#connections)
  }

  async releaseConnection(session: SqliteSession): Promise<void> {
    this.#idle.push(session)
  }

  beginTransaction(session: SqliteSession): Promise<void> {
    return session.begin()
  }

  commitTransaction(session: SqliteSession): Promise<void> {
    return session.commit()
  }

  rollbackTransaction(session: SqliteSession): Promise<void> {
    return session.rollback()
  }

  async destroy(): Promise<void> {
    this.#connections?.close()
  }
}

/** What Kysely must know of these connections that it does not assume of SQLite. */
class NodeSqliteAdapter extends SqliteAdapter {
  /** Writers, and so migrations, are kept apart by `SharedCommit`. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** The SQLite file at `path`, made with its folder when missing; `:memory:` for none. */
export const sqliteDialect = (path: string): Dialect => ({
  createDriver: () => new NodeSqliteDriver(path),
  createAdapter: () => new NodeSqliteAdapter(),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createIntrospector: (db) => new SqliteIntrospector(db),
})
