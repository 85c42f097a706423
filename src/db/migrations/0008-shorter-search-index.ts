import { type Kysely, sql } from 'kysely'
import { isSqlite } from '../dialect.ts'

/**
 * Makes the index that a search goes through a fifth shorter in SQLite: it says whether a todo is open
 * instead of when it was completed, which no search asks for. PostgreSQL reads an index alone only
 * where it holds the columns themselves.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!isSqlite(db)) return
  await sql`drop index todos_sort_key`.execute(db)
  await sql`create index todos_sort_key on todos (owner_id, sort_key, id, completed_at is null)`.execute(
    db,
  )
}
