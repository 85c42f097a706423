import { ForeseenError } from '../lib/foreseen.ts'

/**
 * No connection was had: the database is away, refuses to let us in, or cannot show that it is the one
 * it should be.
 */
export class NotConnected extends ForeseenError {
  constructor(cause: unknown) {
    super(`The database cannot be reached: ${reasonOf(cause)}`, { cause })
    this.name = 'NotConnected'
  }
}

function reasonOf(error: unknown): string {
  // One address after the other was tried, and the whole says nothing itself.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  const message = error instanceof Error ? error.message : String(error)
  // PgBouncer knows nothing of this setting, unless it is told to pass over it.
  const isPooler = message.startsWith('unsupported startup parameter')
  return isPooler ? `${message}. Behind PgBouncer set DATABASE_TRANSACTION_POOLING=1.` : message
}
