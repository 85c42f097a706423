import { type Kysely, sql } from 'kysely'
import { wordsOf } from '../dialect.ts'

/** What a person needs to know their browsers apart, and when each was used last. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { text } = wordsOf(db)
  for (const column of [
    sql`user_agent ${text}`,
    sql`address ${text}`,
    // The default is for an older version that still runs beside this one: its sessions have no
    // cookie, and what is not used by cookie is not idle by this column.
    sql`last_used_at ${text} not null default '1970-01-01T00:00:00.000Z'`,
  ]) {
    await sql`alter table sessions add column ${column}`.execute(db)
  }
  await sql`update sessions set last_used_at = created_at`.execute(db)
}
