import type { QueryResult } from 'kysely'
import { atEndOfTurn } from '../lib/turn.ts'
import type { SqliteConnection } from './sqlite-database.ts'

interface Waiting {
  readonly since: number
  readonly run: () => void
  readonly refuse: (error: unknown) => void
}

/**
 * Lets reads wait for the end of their turn of the event loop, where they share a transaction: to begin and end one takes
 * SQLite longer than to find a todo, and what is done for many requests one after the other takes the processor
 * less than what is done between all else that each needs (docs/benchmarks.md). What these then ask for shares the
 * next one, in the same turn.
 *
 * No read misses what its client can know of, since its transaction begins after it was asked for.
 */
export class SharedReads {
  readonly #connection: SqliteConnection
  readonly #slice: number
  readonly #waiting: Waiting[] = []
  #isRunning = false

  /**
   * `connection` reads only, for this and others like it. After `slice` milliseconds the rest waits for the next turn.
   * Where a turn is full of requests that are refused, a small one lets those starve that were accepted.
   */
  constructor(connection: SqliteConnection, slice: number) {
    this.#connection = connection
    this.#slice = slice
  }

  /** Runs a statement that only reads. */
  run<Row>(text: string, parameters: readonly unknown[]): Promise<QueryResult<Row>> {
    const { promise, resolve, reject } = Promise.withResolvers<QueryResult<Row>>()
    const run = () => {
      try {
        resolve(this.#connection.run(text, parameters))
      } catch (error) {
        reject(error)
      }
    }
    this.#waiting.push({ since: performance.now(), run, refuse: reject })
    if (!this.#isRunning) atEndOfTurn(this.#begin)
    return promise
  }

  /** For how long the first has waited by now, in milliseconds. */
  longestWait(): number {
    const [first] = this.#waiting
    return first ? performance.now() - first.since : 0
  }

  readonly #begin = () => {
    this.#isRunning = true
    this.#runUntil(performance.now() + this.#slice)
  }

  #runUntil(end: number): void {
    try {
      // One that could not be ended sees none of what was written since.
      if (this.#connection.isInTransaction) this.#connection.run('rollback', [])
      this.#connection.run('begin', [])
      do this.#waiting.shift()?.run()
      while (this.#waiting.length > 0 && performance.now() < end)
      // A statement that could not be run, as on a faulty disk, may have ended it.
      if (this.#connection.isInTransaction) this.#connection.run('commit', [])
    } catch (error) {
      for (const { refuse } of this.#waiting.splice(0)) refuse(error)
    }
    // After the microtasks, in which those who asked use what was found and ask for more.
    queueMicrotask(() => process.nextTick(() => this.#goOnUntil(end)))
  }

  #goOnUntil(end: number): void {
    if (this.#waiting.length > 0 && performance.now() < end) {
      this.#runUntil(end)
    } else {
      this.#isRunning = false
      if (this.#waiting.length > 0) atEndOfTurn(this.#begin)
    }
  }
}
