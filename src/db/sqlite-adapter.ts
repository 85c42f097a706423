import { SqliteAdapter } from 'kysely'

/** What Kysely must know of our connections that it does not assume of SQLite, and what we ask of them by way of Kysely. */
export class NodeSqliteAdapter extends SqliteAdapter {
  /** For how long someone has waited by now at most, in milliseconds. */
  readonly longestWait: () => number

  constructor(longestWait: () => number) {
    super()
    this.longestWait = longestWait
  }

  /** Writers, and so migrations, are kept apart by `SharedCommit`. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
