import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../../db/tables.ts'
import { fold } from '../../lib/text.ts'
import { fromNow, now } from '../../lib/time.ts'

/** For how many seconds failures count. */
const WINDOW = 15 * 60

/**
 * Whether a window is over. One that ends much later than any can was begun by a clock that was ahead, and would lock out
 * for as long.
 */
const isOver = () => {
  const ends = sql.ref('sign_in_failures.window_ends_at')
  return sql<boolean>`(${ends} <= ${now()} or ${ends} > ${fromNow(2 * WINDOW)})`
}

/**
 * Takes on one more attempt of `subject`, in a new window when the last one is over, unless `most` have failed or are
 * under way. Says whether it did.
 */
export async function takeOn(db: Db, subject: string, most: number): Promise<boolean> {
  const isNew = isOver()
  const row = await db
    .insertInto('sign_in_failures')
    .values({ subject, failures: 0, under_way: 1, window_ends_at: fromNow(WINDOW) })
    .onConflict((conflict) =>
      conflict
        .column('subject')
        .doUpdateSet({
          failures: sql`case when ${isNew} then 0 else sign_in_failures.failures end`,
          under_way: sql`case when ${isNew} then 1 else sign_in_failures.under_way + 1 end`,
          window_ends_at: sql`case when ${isNew} then excluded.window_ends_at else sign_in_failures.window_ends_at end`,
        })
        .where(
          sql<boolean>`(${isNew} or sign_in_failures.failures + sign_in_failures.under_way < ${most})`,
        ),
    )
    .returning('subject')
    .executeTakeFirst()
  return row !== undefined
}

/** How many attempts of `subject` failed, and until when that counts. */
export async function findFailures(db: Db, subject: string) {
  return db
    .selectFrom('sign_in_failures')
    .select(['failures', 'window_ends_at'])
    .where('subject', '=', subject)
    .executeTakeFirst()
}

/** In one statement with what became of it, so that an attempt counts without a gap. */
async function end(
  db: Db,
  subject: string,
  outcome: { failures?: number | RawBuilder<number> },
): Promise<void> {
  await db
    .updateTable('sign_in_failures')
    // A new window knows nothing of those that began in the last one.
    .set({ under_way: sql`case when under_way > 0 then under_way - 1 else 0 end`, ...outcome })
    .where('subject', '=', subject)
    .execute()
}

/** Ends an attempt that was taken on, as a failure. */
export const countFailure = (db: Db, subject: string): Promise<void> =>
  end(db, subject, { failures: sql<number>`failures + 1` })

/** Ends an attempt that was taken on, as if there had been none. */
export const forgive = (db: Db, subject: string): Promise<void> => end(db, subject, {})

/** Ends an attempt that was taken on, and with it the failures before it. */
export const clearFailures = (db: Db, subject: string): Promise<void> =>
  end(db, subject, { failures: 0 })

/** Which of the places the account of an e-mail address was signed in to from; none when there is no such account. */
export async function knownPlaces(
  db: Db,
  email: string,
  digests: readonly string[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('sign_in_places')
    .innerJoin('users', 'users.id', 'sign_in_places.user_id')
    .select('place_digest')
    .where('users.email_key', '=', fold(email))
    .where('place_digest', 'in', digests)
    .execute()
  return rows.map(({ place_digest }) => place_digest)
}

export async function rememberPlace(db: Db, userId: number, digest: string): Promise<void> {
  await db
    .insertInto('sign_in_places')
    .values({ user_id: userId, place_digest: digest, last_used_at: now() })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'place_digest']).doUpdateSet({ last_used_at: now() }),
    )
    .execute()
}

/** How long a place is remembered that is not used, in seconds. */
const PLACE_LIFETIME = 90 * 24 * 60 * 60

/** Deletes counts that are over, and places that were not used for 90 days. */
export async function purge(db: Db): Promise<void> {
  await db.deleteFrom('sign_in_failures').where(isOver()).execute()
  await db
    .deleteFrom('sign_in_places')
    .where('last_used_at', '<=', fromNow(-PLACE_LIFETIME))
    .execute()
}
