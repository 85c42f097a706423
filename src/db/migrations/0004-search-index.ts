import { type Kysely, sql } from 'kysely'

/**
 * Lets a search read an index instead of the todos. The index of the order by text holds the first
 * 100 characters of each text, which is all of most; with `completed_at` beside them, it is enough
 * for the filter too. The texts that are longer have a small index of their own.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index todos_sort_key`.execute(db)
  await sql`create index todos_sort_key on todos (owner_id, sort_key, id, completed_at)`.execute(db)
  await sql`create index todos_long on todos (owner_id, id) where text_key <> sort_key`.execute(db)
}
