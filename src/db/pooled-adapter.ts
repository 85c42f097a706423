import { PostgresAdapter, type PostgresPoolClient } from 'kysely'
import type pg from 'pg'
import { statementName } from './prepared.ts'

/** Connections in use and idle, and how many wait for one. */
export interface PoolUse {
  readonly used: number
  readonly idle: number
  readonly waiting: number
}

/** How many may wait for each connection. */
const WAITING_MAX = 100

/** Knows who waits for a connection, which the pool hands out in the order of asking. */
export class PooledPostgresAdapter extends PostgresAdapter {
  readonly #pool: pg.Pool
  readonly #waiting = new Set<{ readonly since: number }>()
  readonly #named: boolean
  readonly #clients = new WeakMap<pg.PoolClient, PostgresPoolClient>()

  constructor(pool: pg.Pool, named: boolean) {
    super()
    this.#pool = pool
    this.#named = named
  }

  use(): PoolUse {
    const { totalCount, idleCount } = this.#pool
    return { used: totalCount - idleCount, idle: idleCount, waiting: this.#waiting.size }
  }

  /**
   * For how long the first of those has waited who wait, in milliseconds; infinite when there are
   * more than can be served in time, which thousands at one moment are before any has waited.
   */
  longestWait(): number {
    if (this.#waiting.size > WAITING_MAX * this.#pool.options.max) return Number.POSITIVE_INFINITY
    const [first] = this.#waiting
    return first === undefined ? 0 : performance.now() - first.since
  }

  /** Nothing: `migrate.ts` has a lock already, which ends with the transaction. */
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}

  async connect(): Promise<PostgresPoolClient> {
    const wait = { since: performance.now() }
    this.#waiting.add(wait)
    try {
      const client = await this.#pool.connect()
      return this.#named ? this.#naming(client) : client
    } finally {
      this.#waiting.delete(wait)
    }
  }

  #naming(client: pg.PoolClient): PostgresPoolClient {
    const kept = this.#clients.get(client)
    if (kept) return kept
    const naming = namingClient(client)
    this.#clients.set(client, naming)
    return naming
  }
}

/** The same client, which runs prepared statements by their names, so that it parses each once. */
const namingClient = (client: pg.PoolClient): PostgresPoolClient =>
  Object.create(client, {
    query: {
      value: (text: string, values?: unknown[]) =>
        client.query({ name: statementName(text), text, values: values ?? [] }),
    },
  })
