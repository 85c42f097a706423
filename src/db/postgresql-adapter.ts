import { PostgresAdapter } from 'kysely'
import type { PoolUse } from '../lib/pool-use.ts'
import type { PostgresqlConnections } from './postgresql-connections.ts'

/** What Kysely must know of PostgreSQL, and what we ask of its connections by way of Kysely. */
export class PooledPostgresAdapter extends PostgresAdapter {
  readonly #connections: PostgresqlConnections
  readonly #waits: Array<() => number> = []

  constructor(connections: PostgresqlConnections) {
    super()
    this.#connections = connections
  }

  use(): PoolUse {
    return this.#connections.use()
  }

  /** Has `wait` say, too, for how long someone has waited by now, in milliseconds. */
  watch(wait: () => number): void {
    this.#waits.push(wait)
  }

  longestWait(): number {
    let longest = this.#connections.longestWait()
    for (const wait of this.#waits) longest = Math.max(longest, wait())
    return longest
  }

  /** `migration-lock.ts` has one already, which ends with the transaction. A migration may take long. */
  override async acquireMigrationLock(): Promise<void> {
    this.#connections.isPatient = true
  }

  override async releaseMigrationLock(): Promise<void> {
    this.#connections.isPatient = false
  }
}
