import { PostgresAdapter } from 'kysely'
import type { PostgresqlConnections, PoolUse } from './postgresql-connections.ts'

/** What Kysely must know of PostgreSQL, and what we ask of its connections by way of Kysely. */
export class PooledPostgresAdapter extends PostgresAdapter {
  readonly #connections: PostgresqlConnections

  constructor(connections: PostgresqlConnections) {
    super()
    this.#connections = connections
  }

  use(): PoolUse {
    return this.#connections.use()
  }

  longestWait(): number {
    return this.#connections.longestWait()
  }

  /** `migration-lock.ts` has one already, which ends with the transaction. A migration may take long. */
  override async acquireMigrationLock(): Promise<void> {
    this.#connections.isPatient = true
  }

  override async releaseMigrationLock(): Promise<void> {
    this.#connections.isPatient = false
  }
}
