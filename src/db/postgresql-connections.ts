import pg from 'pg'
import type { PoolUse } from '../lib/pool-use.ts'
import { NotConnected } from './not-connected.ts'
import { isSpent } from './postgresql-failure.ts'
import { GivenUp, Pipelines } from './postgresql-pipelines.ts'
import { Planning } from './postgresql-planning.ts'

/** How many may wait for each connection. */
const WAITING_MAX = 100

/** The pool of connections, some of which are shared; knows who waits for one. */
export class PostgresqlConnections {
  readonly #pool: pg.Pool
  readonly #pipelines: Pipelines
  readonly #planning: Planning
  /** In the order in which the pool serves them. */
  readonly #waiting = new Set<{ readonly since: number }>()
  /** Whether a connection may say nothing for as long as it likes. */
  isPatient = false

  /** `keepsSettings`: a setting of a connection stays with it; there is no pooler of transactions. */
  constructor(config: pg.PoolConfig, keepsSettings: boolean, onLost: (error: Error) => void) {
    this.#planning = new Planning(keepsSettings)
    this.#pool = new pg.Pool({ ...config, pipeline: true })
    // A connection that breaks without a listener ends the process. The pool listens to the idle
    // ones only; one at work fails its query as well, which is where the caller hears of it.
    this.#pool.on('error', onLost)
    this.#pool.on('connect', (client) => client.on('error', () => {}))
    this.#pipelines = new Pipelines(this.#pool, async () => {
      const client = await this.#take()
      this.#planning.once(client)
      return client
    })
  }

  use(): PoolUse {
    const { totalCount, idleCount } = this.#pool
    const waiting = this.#waiting.size + this.#pipelines.waiting
    return { used: totalCount - idleCount, idle: idleCount, waiting }
  }

  /**
   * The longest time that anyone has waited by now, for a connection or behind others on one, in
   * milliseconds. It is infinite when more wait than can be served in time: thousands that come at one
   * moment are too many before any of them has waited.
   */
  longestWait(): number {
    const { waiting } = this.use()
    if (waiting > WAITING_MAX * this.#pool.options.max) return Number.POSITIVE_INFINITY
    const inPipelines = this.#pipelines.waitingSince()
    const [first] = this.#waiting
    return performance.now() - Math.min(first?.since ?? inPipelines, inPipelines)
  }

  async #take(): Promise<pg.PoolClient> {
    const wait = { since: performance.now() }
    this.#waiting.add(wait)
    try {
      return await this.#pool.connect()
    } catch (error) {
      throw new NotConnected(error)
    } finally {
      this.#waiting.delete(wait)
    }
  }

  /** A connection for the caller alone, until released. Throws `NotConnected` when none is had in time. */
  async connect(): Promise<pg.PoolClient> {
    const client = await this.#take()
    try {
      await this.#planning.freely(client)
      return client
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  /** Runs a statement on a connection of its own. One that is brief does not mind how the connection plans. */
  async runAlone(statement: pg.QueryConfig, isBrief: boolean): Promise<pg.QueryResult> {
    const client = isBrief ? await this.#take() : await this.connect()
    let isUnusable = false
    try {
      return await client.query(statement)
    } catch (error) {
      isUnusable = isSpent(error)
      throw error
    } finally {
      client.release(isUnusable)
    }
  }

  /** Runs a statement that reads, and is brief, on a connection that it shares with others. */
  async runShared(statement: pg.QueryConfig): Promise<pg.QueryResult> {
    try {
      return await this.#pipelines.run(statement)
    } catch (error) {
      if (error instanceof GivenUp) return this.runAlone(statement, true)
      throw error
    }
  }

  end(): Promise<void> {
    return this.#pool.end()
  }
}
