import { type Kysely, sql } from 'kysely'
import { wordsOf } from '../dialect.ts'

/**
 * Passwords that are being looked at are told apart from those that were wrong. An older process beside newer
 * ones counts both as wrong, as it did before.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { integer } = wordsOf(db)
  await sql`alter table sign_in_failures add column under_way ${integer} not null default 0`.execute(
    db,
  )
}
