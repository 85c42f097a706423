import type pg from 'pg'
import { atEndOfTurn } from '../lib/turn.ts'
import { isRefusal, tookTooLong } from './postgresql-failure.ts'

/** So many connections at most are shared at a time, and no more than half of the pool. */
const PIPELINES_MAX = 4
/** Until so many are under way on one, statements of one turn of the event loop go the same way, to be sent by one call of the system. */
const TOGETHER = 16
/** So many statements at most are under way on one; a connection that hangs takes no more with it. */
const DEPTH_MAX = 64

interface Waiting {
  readonly statement: pg.QueryConfig
  readonly since: number
  readonly settle: PromiseWithResolvers<pg.QueryResult>
}

/** A connection on which statements are sent without waiting for the answers to those before. */
class Pipeline {
  readonly #client: pg.PoolClient
  /** When each statement under way was sent, by `performance.now()`; they are answered in this order. */
  readonly #sent: number[] = []
  #isBroken = false
  #isGivenUp = false
  #isSending = false

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  get underWay(): number {
    return this.#sent.length
  }

  /** Whether statements were given to it in this turn of the event loop. */
  get isSending(): boolean {
    return this.#isSending
  }

  get takesMore(): boolean {
    return !this.#isBroken && this.underWay < DEPTH_MAX
  }

  /** When the first statement that is behind another was sent. */
  get waitingSince(): number | undefined {
    return this.#sent[1]
  }

  async run(statement: pg.QueryConfig): Promise<pg.QueryResult> {
    this.#sent.push(performance.now())
    this.#sendTogether()
    try {
      return await this.#client.query(statement)
    } catch (error) {
      if (this.#isGivenUp) throw new GivenUp()
      if (tookTooLong(error)) this.#giveUp()
      // What the database only refuses leaves the connection as it was.
      else if (!isRefusal(error)) this.#isBroken = true
      throw error
    } finally {
      this.#sent.shift()
    }
  }

  /** Ends the connection, so that those behind a slow statement need not wait for the next slow one. */
  #giveUp(): void {
    this.#isBroken = true
    this.#isGivenUp = true
    this.#client.connection.stream.destroy()
  }

  /** Sends what comes during this turn of the event loop at once, by one call of the system. */
  #sendTogether(): void {
    if (this.#isSending) return
    this.#isSending = true
    this.#client.connection.stream.cork()
    atEndOfTurn(this.#send)
  }

  readonly #send = () => {
    this.#isSending = false
    this.#client.connection.stream.uncork()
  }

  release(): void {
    this.#client.release(this.#isBroken)
  }
}

/** A statement was not answered because one before it took too long; it may be run again by itself. */
export class GivenUp extends Error {}

/**
 * Runs statements that take well under a millisecond, several at a time on each of a few
 * connections, which saves most of the waiting and of the system calls (PostgreSQL manual,
 * pipeline mode). Each is a transaction of its own. They run in the order sent, so a slow one would
 * hold up those behind it, and must have a connection of its own. Throws `GivenUp` to those behind
 * one that was slow all the same.
 */
export class Pipelines {
  readonly #pool: pg.Pool
  readonly #connect: () => Promise<pg.PoolClient>
  readonly #max: number
  readonly #open = new Set<Pipeline>()
  readonly #waiting: Waiting[] = []
  #isOpening = false

  /** `connect` takes a connection out of `pool`. */
  constructor(pool: pg.Pool, connect: () => Promise<pg.PoolClient>) {
    this.#pool = pool
    this.#connect = connect
    this.#max = Math.min(PIPELINES_MAX, Math.ceil(pool.options.max / 2))
  }

  /** How many statements wait for a pipeline. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Since when the first statement has waited, for a pipeline or in one; by `performance.now()`. */
  waitingSince(): number {
    let since = this.#waiting[0]?.since ?? performance.now()
    for (const pipeline of this.#open) since = Math.min(since, pipeline.waitingSince ?? since)
    return since
  }

  async run(statement: pg.QueryConfig): Promise<pg.QueryResult> {
    const pipeline = this.#waiting.length === 0 ? this.#choose() : undefined
    if (pipeline) return this.#runOn(pipeline, statement)
    const settle = Promise.withResolvers<pg.QueryResult>()
    this.#waiting.push({ statement, since: performance.now(), settle })
    this.#add()
    return settle.promise
  }

  /**
   * The one that others of this turn are sent on, or else the one with the fewest statements;
   * undefined when it is better to wait for another connection.
   */
  #choose(): Pipeline | undefined {
    let best: Pipeline | undefined
    for (const pipeline of this.#open) {
      if (!pipeline.takesMore) continue
      if (pipeline.isSending && pipeline.underWay < TOGETHER) return pipeline
      if (!best || pipeline.underWay < best.underWay) best = pipeline
    }
    if (!best || best.underWay === 0) return best
    const mayAdd = this.#open.size < this.#max && this.#pool.idleCount > 0
    // All connections may be ours only while nobody else asks for one.
    const mustYield = this.#open.size === this.#pool.options.max && this.#pool.waitingCount > 0
    return mayAdd || mustYield ? undefined : best
  }

  async #runOn(pipeline: Pipeline, statement: pg.QueryConfig): Promise<pg.QueryResult> {
    try {
      return await pipeline.run(statement)
    } finally {
      this.#serve()
      this.#closeIdle(pipeline)
    }
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const pipeline = this.#choose()
      const next = pipeline && this.#waiting.shift()
      if (!next) return
      next.settle.resolve(this.#runOn(pipeline, next.statement))
    }
  }

  #closeIdle(pipeline: Pipeline): void {
    if (pipeline.underWay > 0 || !this.#open.delete(pipeline)) return
    pipeline.release()
    if (this.#waiting.length > 0) this.#add()
  }

  async #add(): Promise<void> {
    if (this.#isOpening || this.#open.size >= this.#max) return
    this.#isOpening = true
    try {
      const pipeline = new Pipeline(await this.#connect())
      this.#isOpening = false
      this.#open.add(pipeline)
      this.#serve()
      // Others may have served those who waited.
      this.#closeIdle(pipeline)
    } catch (error) {
      this.#isOpening = false
      // Those that are open serve the ones who wait.
      if (this.#open.size > 0) return
      for (const { settle } of this.#waiting.splice(0)) settle.reject(error)
    }
  }
}
