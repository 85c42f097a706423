import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { QueryResult } from 'kysely'
import { explained, naming } from './sqlite-failure.ts'
import { followed, refuseLeftOver } from './sqlite-replace.ts'

const KEPT_STATEMENTS_MAX = 256
/** So much of the file the reads keep. With SQLite's 2 MiB, the lists of fifty people push each other out. */
const READ_CACHE_KIB = 8 * 1024

type Parameter = string | number | bigint | null | Uint8Array
const isParameter = (value: unknown): value is Parameter =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'bigint' ||
  value instanceof Uint8Array

function checked(parameters: readonly unknown[]): readonly Parameter[] {
  if (parameters.every(isParameter)) return parameters
  const value = parameters.find((value) => !isParameter(value))
  throw new TypeError(`SQLite has no type for a ${typeof value}`)
}

interface Kept {
  readonly statement: StatementSync
  readonly givesRows: boolean
  /** Of its columns, where the text says which; those of a `*` may change while it is kept. */
  readonly names: readonly string[] | undefined
}

/**
 * A row as any other object. One that `node:sqlite` makes has no prototype, and V8 keeps it as a
 * dictionary, which takes longer to make and to read (docs/benchmarks.md).
 */
function rowOf(names: readonly string[], values: Readonly<Record<number, unknown>>): object {
  const row: Record<string, unknown> = {}
  for (const [index, name] of names.entries()) row[name] = values[index]
  return row
}

/**
 * Makes the file with its folder when missing, for its owner only, as SQLite would not: it holds
 * password hashes. What SQLite keeps beside it gets the same mode.
 */
function makeFile(path: string): void {
  // To open one that is there and close it would drop the locks that this process has on it.
  if (existsSync(path)) return
  const target = followed(path)
  // SQLite would delete the log of a database that was moved away, with all that is in that alone.
  refuseLeftOver(target)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  writeFileSync(target, '', { mode: 0o600, flag: 'a' })
}

/** One connection to an SQLite file, which keeps its statements prepared. */
export class SqliteConnection {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Kept>()

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path
    this.#database = database
  }

  /**
   * Opens the file at `path`, which is made with its folder when missing. Throws `DatabaseRefused` when only what SQLite
   * keeps beside it is there, or a link to what is not.
   */
  static forWriting(path: string): SqliteConnection {
    if (path !== ':memory:') naming(path, () => makeFile(path))
    // FULL: what was acknowledged survives a power cut, not only a crash of the process.
    return SqliteConnection.#open(path, 'pragma journal_mode = wal; pragma synchronous = full')
  }

  /** Opens the file at `path`, which is there; sees what was committed, and nothing else. */
  static forReading(path: string): SqliteConnection {
    return SqliteConnection.#open(path, `pragma cache_size = ${-READ_CACHE_KIB}`, {
      readOnly: true,
    })
  }

  static #open(path: string, pragmas: string, { readOnly = false } = {}): SqliteConnection {
    return naming(path, () => {
      const database = new DatabaseSync(path, { timeout: 0, readOnly })
      try {
        database.exec(pragmas)
      } catch (error) {
        database.close()
        throw error
      }
      return new SqliteConnection(path, database)
    })
  }

  run<Row>(text: string, parameters: readonly unknown[]): QueryResult<Row> {
    try {
      return this.#run(text, parameters)
    } catch (error) {
      throw explained(error, this.#path)
    }
  }

  #run<Row>(text: string, parameters: readonly unknown[]): QueryResult<Row> {
    const { statement, givesRows, names } = this.#prepare(text)
    const values = checked(parameters)
    if (givesRows) {
      const rows = statement.all(...values)
      return { rows: (names ? rows.map((row) => rowOf(names, row)) : rows) as Row[] }
    }
    const { changes } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  #prepare(text: string): Kept {
    const kept = this.#statements.get(text)
    if (kept) return kept
    const statement = this.#database.prepare(text)
    const columns = statement.columns().map(({ name }) => name)
    const names = text.includes('*') ? undefined : columns
    statement.setReturnArrays(names !== undefined)
    const prepared = { statement, givesRows: columns.length > 0, names }
    if (this.#statements.size >= KEPT_STATEMENTS_MAX) this.#statements.clear()
    this.#statements.set(text, prepared)
    return prepared
  }

  /** Whether a transaction is open: not any more after a full disk, which ends it. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}
