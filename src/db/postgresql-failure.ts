import pg from 'pg'
import { hasCode } from '../lib/code.ts'

/**
 * Whether a connection is of no more use after this error (PostgreSQL manual, appendix A). 25006: it can only read, as
 * one to a server that was the primary, or to a database that was made read-only for a while. 08, 25P03, 25P04, 57P:
 * the server ends it, which is known before it is closed. XX: the server met a fault of its own.
 */
export const isSpent = (error: unknown): boolean => hasCode(error, /^(08|25006|25P03|25P04|57P|XX)/)

/** Whether the database answered a statement with an error and goes on to the next. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && !isSpent(error)

/** Whether PostgreSQL ended the statement at the `statement_timeout`, or because it was asked to. */
export const tookTooLong = (error: unknown): boolean => hasCode(error, /^57014$/)
