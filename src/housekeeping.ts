import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Db } from './db/tables.ts'
import * as idempotencyKeys from './features/idempotency-keys/store.ts'
import * as passwordAttempts from './features/password-attempts/store.ts'
import * as sessions from './features/sessions/store.ts'

const HOUR = 60 * 60 * 1000

/** Deletes what ran out, now and every hour, until `signal` aborts. */
export async function keepHouse(
  db: Db,
  logger: FastifyBaseLogger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await sessions.purge(db)
      await passwordAttempts.purge(db)
      await idempotencyKeys.purge(db)
    } catch (error) {
      logger.warn({ err: error }, 'could not delete what ran out; trying again in an hour')
    }
    // Aborting the wait is how housekeeping ends, not a failure of it.
    await delay(HOUR, undefined, { signal, ref: false }).catch(() => {})
  }
}
