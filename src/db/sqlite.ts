import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { isPrepared } from './prepared.ts'
import { NodeSqliteAdapter } from './sqlite-adapter.ts'
import { SqliteConnection } from './sqlite-database.ts'
import { SharedReads } from './sqlite-reads.ts'
import { SharedCommit, whenUnlocked } from './sqlite-writes.ts'

/** So many milliseconds of a turn of the event loop, or the time of one that takes longer. */
const OTHER_READS_SLICE = 2

/** One connection that all writes share, and one for the reads, which so wait for no write. */
class Connections {
  readonly writer: SqliteConnection
  readonly writes: SharedCommit
  /** None for a database in memory, of which no second connection knows. */
  readonly reader: SqliteConnection | undefined
  /** Those that take well under a millisecond each, and so wait for no other. */
  readonly briefReads: SharedReads | undefined
  readonly otherReads: SharedReads | undefined

  constructor(path: string) {
    this.writer = SqliteConnection.forWriting(path)
    this.writes = new SharedCommit(this.writer)
    this.reader = path === ':memory:' ? undefined : SqliteConnection.forReading(path)
    this.briefReads = this.reader && new SharedReads(this.reader, Number.POSITIVE_INFINITY)
    this.otherReads = this.reader && new SharedReads(this.reader, OTHER_READS_SLICE)
  }

  longestWait(): number {
    const waits = [this.briefReads, this.otherReads].map((reads) => reads?.longestWait() ?? 0)
    return Math.max(...waits)
  }

  close(): void {
    this.writes.close()
    this.reader?.close()
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
    const { writer, writes, briefReads, otherReads } = this.#connections
    const { sql, parameters } = query
    const run = () => writer.run<Row>(sql, parameters)
    if (this.#isInTransaction) return this.#inTransaction(run)
    const reads = isPrepared(query) && query.isBrief ? briefReads : otherReads
    if (reads && isReading(query)) return whenUnlocked(() => reads.run<Row>(sql, parameters))
    await writes.begin()
    let result: QueryResult<Row>
    try {
      // A statement that fails has changed nothing, so it needs no savepoint.
      result = run()
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
    try {
      writer.run('savepoint member', [])
    } catch (error) {
      writes.abandon(error)
      throw error
    }
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
    try {
      if (writer.isInTransaction) {
        writer.run('rollback to member', [])
        writer.run('release member', [])
      }
    } catch (error) {
      writes.abandonAll(error)
      throw error
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

  longestWait(): number {
    return this.#connections?.longestWait() ?? 0
  }

  async destroy(): Promise<void> {
    this.#connections?.close()
  }
}

/** The SQLite file at `path`, made with its folder when missing; `:memory:` for none. */
export function sqliteDialect(path: string): Dialect {
  const driver = new NodeSqliteDriver(path)
  return {
    createDriver: () => driver,
    createAdapter: () => new NodeSqliteAdapter(() => driver.longestWait()),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}
