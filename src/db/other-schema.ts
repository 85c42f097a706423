/** PostgreSQL's codes for a table and a column that are not there (manual, appendix A). */
const POSTGRESQL_UNDEFINED: ReadonlySet<unknown> = new Set(['42P01', '42703'])

/** SQLite has no code of its own for them. */
const SQLITE_UNDEFINED = /^no such (table|column): |^table .+ has no column named /

/**
 * Whether a statement failed because the database lacks a table or a column of it: its migrations are pending,
 * or it is a restored backup of an older version.
 */
export function isOfOtherSchema(error: Error): boolean {
  if ('errcode' in error) return SQLITE_UNDEFINED.test(error.message)
  return POSTGRESQL_UNDEFINED.has('code' in error && error.code)
}
