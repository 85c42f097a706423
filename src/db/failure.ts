import { conflict, type Problem, unavailable } from '../lib/problem.ts'
import { NotConnected } from './not-connected.ts'
import { isOfOtherSchema } from './other-schema.ts'
import { isOvertaken } from './overtaken.ts'
import { isDamage } from './sqlite-failure.ts'

/** SQLite's primary result codes for: busy, locked, read-only, I/O error, full, can't open. */
const SQLITE_UNAVAILABLE = new Set([5, 6, 8, 10, 13, 14])

/**
 * PostgreSQL error classes (manual, appendix A): 08 connection, 25006 read-only, 53 resources, 55P03 lock,
 * 57 intervention, 58 system error.
 */
const POSTGRESQL_UNAVAILABLE = /^(08|25006|53|55P03|57|58)/

/** A connection that was there and broke. */
const NETWORK_UNAVAILABLE = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)/

/** node-postgres gives these no code. */
const CLIENT_UNAVAILABLE =
  /^(Connection terminated|Query read timeout|Client has encountered a connection error|Client was closed)/

function isUnavailable(error: Error): boolean {
  if (error instanceof NotConnected) return true
  if ('errcode' in error && typeof error.errcode === 'number') {
    return SQLITE_UNAVAILABLE.has(error.errcode & 0xff)
  }
  if ('code' in error && typeof error.code === 'string') {
    return POSTGRESQL_UNAVAILABLE.test(error.code) || NETWORK_UNAVAILABLE.test(error.code)
  }
  return CLIENT_UNAVAILABLE.test(error.message)
}

/** SQLite's extended result codes, and PostgreSQL's, for a unique or foreign key that does not hold. */
const BROKEN_KEYS: ReadonlySet<unknown> = new Set([787, 1555, 2067, '23503', '23505'])

function isBrokenKey(error: Error): boolean {
  return BROKEN_KEYS.has('errcode' in error ? error.errcode : 'code' in error && error.code)
}

/**
 * What may be said of a database error: 503 when the database cannot serve or another transaction was
 * in the way, 409 when two writers met that each looked first; undefined for an error of our own.
 */
export function databaseProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined
  if (isBrokenKey(error)) {
    return conflict('Someone changed the same thing at the same moment. Look, then try again.')
  }
  if (isOvertaken(error)) {
    return unavailable(
      'Someone else changed the same thing at the same moment. Try again in a moment.',
      { cause: error },
    )
  }
  if (isDamage(error)) {
    return unavailable('The database is damaged. Its operator has to restore it.', {
      retryAfter: 60,
      cause: error,
    })
  }
  if (isOfOtherSchema(error)) {
    return unavailable(
      'The database is not at the schema of this version. Its operator has to run `todo migrate`.',
      { retryAfter: 60, cause: error },
    )
  }
  if (!isUnavailable(error)) return undefined
  return unavailable('The database cannot be reached right now. Try again in a moment.', {
    retryAfter: 2,
    cause: error,
  })
}
