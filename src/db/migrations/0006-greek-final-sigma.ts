import { type Kysely, sql } from 'kysely'

/**
 * Keys are folded to one small sigma now (lib/text.ts); these had the final one where a word ended. Those
 * that an older process writes beside newer ones keep theirs until their text is changed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const [final, sigma] = ['ς', 'σ']
  await sql`update todos
    set text_key = replace(text_key, ${final}, ${sigma}), sort_key = replace(sort_key, ${final}, ${sigma})
    where text_key like ${`%${final}%`}`.execute(db)
}
