import { type Kysely, sql } from 'kysely'
import { wordsOf } from '../dialect.ts'

/** From where each user signed in before: guesses from elsewhere must not keep them out there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { integer, text } = wordsOf(db)
  await sql`create table sign_in_places (
    user_id ${integer} not null references users (id) on delete cascade,
    place_digest ${text} not null,
    last_used_at ${text} not null,
    primary key (user_id, place_digest)
  )`.execute(db)
  await sql`create index sign_in_places_last_used_at on sign_in_places (last_used_at)`.execute(db)
}
