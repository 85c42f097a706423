import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely'

/**
 * How long to wait for another process's write lock, in milliseconds. SQLite's own waiting stops
 * the whole process, so it is short; the rest of the wait leaves time for other work.
 */
const BUSY_TIMEOUT = 10
const PATIENCE = 5_000
const RETRY_AFTER = 15
const SQLITE_BUSY = 5

const KEPT_STATEMENTS_MAX = 256

/** node:sqlite behind the few calls that Kysely's SQLite driver makes. */
class NodeSqliteDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(path: string) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT })
    // FULL: what was acknowledged survives a power cut, not only a crash of the process.
    this.#database.exec('pragma journal_mode = wal; pragma synchronous = full;')
  }

  prepare(text: string): SqliteStatement {
    const kept = this.#statements.get(text)
    if (kept) return kept
    const statement = runnable(this.#database.prepare(text))
    if (this.#statements.size >= KEPT_STATEMENTS_MAX) this.#statements.clear()
    this.#statements.set(text, statement)
    return statement
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}

type Parameter = string | number | bigint | null | Uint8Array
const isParameter = (value: unknown): value is Parameter =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'bigint' ||
  value instanceof Uint8Array

function checked(parameters: readonly unknown[]): Parameter[] {
  return parameters.map((value) => {
    if (isParameter(value)) return value
    throw new TypeError(`SQLite has no type for a ${typeof value}`)
  })
}

const runnable = (statement: StatementSync): SqliteStatement => ({
  reader: statement.columns().length > 0,
  all: (parameters) => statement.all(...checked(parameters)),
  run: (parameters) => statement.run(...checked(parameters)),
  iterate: (parameters) => statement.iterate(...checked(parameters)),
})

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === SQLITE_BUSY

/** Tries a statement again while another process has the lock. A busy statement has done nothing. */
class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection

  constructor(connection: DatabaseConnection) {
    this.#connection = connection
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const deadline = Date.now() + PATIENCE
    for (;;) {
      try {
        return await this.#connection.executeQuery<Row>(query)
      } catch (error) {
        if (!isBusy(error) || Date.now() >= deadline) throw error
        await delay(RETRY_AFTER)
      }
    }
  }

  streamQuery<Row>(
    query: CompiledQuery,
    chunkSize: number,
  ): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize)
  }
}

/**
 * Takes the write lock when the transaction begins. With the plain `begin` of Kysely's driver, a
 * transaction that reads and then writes fails when another process wrote in between.
 */
class ImmediateSqliteDriver extends SqliteDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    return new PatientConnection(await super.acquireConnection())
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

/** SQLite can roll back its DDL, and the transaction's lock is what keeps migrations apart. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** The SQLite file at `path`, made with its folder when missing; `:memory:` for none. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #path: string

  constructor(path: string) {
    super({ database: async () => new NodeSqliteDatabase(path) })
    this.#path = path
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver({ database: async () => new NodeSqliteDatabase(this.#path) })
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }
}
