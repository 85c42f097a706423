import { type Kysely, sql } from 'kysely'

/** Keys are folded to one small sigma now (lib/text.ts); these had the final one where a word ended. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`update todos
    set text_key = replace(text_key, 'ς', 'σ'), sort_key = replace(sort_key, 'ς', 'σ')
    where text_key like '%ς%'`.execute(db)
}
