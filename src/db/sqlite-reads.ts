import type { QueryResult } from 'kysely'
import { arrival } from '../lib/arrivals.ts'
import type { SqliteConnection } from './sqlite-database.ts'

/**
 * Lets the reads for requests that arrived together share one transaction: to begin and end one takes SQLite
 * longer than to find a todo (docs/benchmarks.md).
 *
 * No read misses what its client can know of. The transaction begins after all those requests were sent, and ends
 * before this process commits anything, so what it does not see was acknowledged to nobody before they were sent.
 */
export class SharedSnapshot {
  readonly #connection: SqliteConnection
  /** That of the requests which share the open transaction. */
  #arrival: number | undefined
  #endOfTurn: NodeJS.Immediate | undefined

  /** `connection` is for nothing else. */
  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  /** Runs a statement that only reads. */
  run<Row>(text: string, parameters: readonly unknown[]): QueryResult<Row> {
    const now = arrival()
    if (this.#arrival !== now) {
      this.end()
      this.#connection.run('begin', [])
      this.#arrival = now
      this.#endOfTurn = setImmediate(() => this.end())
    }
    return this.#connection.run(text, parameters)
  }

  /** Ends what is shared: the next read sees all that is committed by then. */
  end(): void {
    clearImmediate(this.#endOfTurn)
    this.#arrival = undefined
    // A statement that could not be run, as on a faulty disk, may have ended it.
    if (this.#connection.isInTransaction) this.#connection.run('commit', [])
  }

  close(): void {
    this.end()
    this.#connection.close()
  }
}
