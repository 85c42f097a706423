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

  /** Nothing: `migrate.ts` has a lock already, which ends with the transaction. */
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}
