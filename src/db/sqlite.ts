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
 * the whole process, and it does not wait at all where two processes make a new file a WAL one. So a
 * statement is tried again and again, and between two tries there is time for other work.
 */
const PATIENCE = 5_000
const TRY_AGAIN_MAX = 15
const SQLITE_BUSY = 5

const KEPT_STATEMENTS_MAX = 256

/** node:sqlite behind the few calls that Kysely's SQLite driver makes. */
class NodeSqliteDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(path: string) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#database = new DatabaseSync(path, { timeout: 0 })
    try {
      // FULL: what was acknowledged survives a power cut, not only a crash of the process.
      this.#database.exec('pragma journal_mode = wal; pragma synchronous = full;')
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  prepare(text: string): SqliteStatement {
    const kept = this.#statements.get(text)
    if (kept) return kept
    const statement = runnable(this.#database.prepare(text))
    if (this.#statements.size >= KEPT_STATEMENTS_MAX) this.#statements.clear()
    this.#statements.set(text, statement)
    return statement
  }

  /** Whether a transaction is open: not any more after a full disk, which ends it. */
  get isTransaction(): boolean {
    return this.#database.isTransaction
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

/**
 * The wait for another process's lock, shared by all who wait here: each by themselves, one after
 * the other, would wait in full, and the last for minutes. Once the time is up everyone has one try,
 * until the lock is free again.
 */
class LockWait {
  #since: number | undefined

  async run<Result>(statement: () => Promise<Result>, needsLock: boolean): Promise<Result> {
    for (let pause = 1; ; pause = Math.min(2 * pause, TRY_AGAIN_MAX)) {
      try {
        const result = await statement()
        if (needsLock) this.#since = undefined
        return result
      } catch (error) {
        if (!isBusy(error)) throw error
        this.#since ??= Date.now()
        if (Date.now() - this.#since >= PATIENCE) throw error
        await delay(pause)
      }
    }
  }
}

const isReading = ({ query, sql }: CompiledQuery): boolean =>
  query.kind === 'SelectQueryNode' || sql.startsWith('select')

/** Waits for the lock with what needs it. A busy statement has done nothing, so it may be tried again. */
class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection
  readonly #lock: LockWait

  constructor(connection: DatabaseConnection, lock: LockWait) {
    this.#connection = connection
    this.#lock = lock
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#lock.run(() => this.#connection.executeQuery<Row>(query), !isReading(query))
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
  readonly #lock: LockWait
  readonly #isTransaction: () => boolean

  constructor(path: string) {
    const lock = new LockWait()
    let database: NodeSqliteDatabase | undefined
    super({
      database: () => lock.run(async () => (database = new NodeSqliteDatabase(path)), true),
    })
    this.#lock = lock
    this.#isTransaction = () => database?.isTransaction ?? false
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return new PatientConnection(await super.acquireConnection(), this.#lock)
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** SQLite has rolled back already when the disk is full, and a second rollback would be an error. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#isTransaction()) await super.rollbackTransaction(connection)
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
    return new ImmediateSqliteDriver(this.#path)
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }
}
