import { sql } from 'kysely'
import type { Db } from '../../db/tables.ts'
import { fold } from '../../lib/text.ts'
import { fromNow, now } from '../../lib/time.ts'

interface FailureCount {
  readonly failures: number
  readonly window_ends_at: string
}

/** Counts one more attempt of `subject`, in a new window when the last one is over. */
export async function countFailure(
  db: Db,
  subject: string,
  windowEndsAt: string,
): Promise<FailureCount> {
  const isOver = sql<boolean>`sign_in_failures.window_ends_at <= ${now()}`
  return db
    .insertInto('sign_in_failures')
    .values({ subject, failures: 1, window_ends_at: windowEndsAt })
    .onConflict((conflict) =>
      conflict.column('subject').doUpdateSet({
        failures: sql`case when ${isOver} then 1 else sign_in_failures.failures + 1 end`,
        window_ends_at: sql`case when ${isOver} then excluded.window_ends_at else sign_in_failures.window_ends_at end`,
      }),
    )
    .returning(['failures', 'window_ends_at'])
    .executeTakeFirstOrThrow()
}

/** Takes one counted attempt back. */
export async function forgiveFailure(db: Db, subject: string): Promise<void> {
  await db
    .updateTable('sign_in_failures')
    .set({ failures: sql`failures - 1` })
    .where('subject', '=', subject)
    .where('failures', '>', 0)
    .execute()
}

export async function clearFailures(db: Db, subject: string): Promise<void> {
  await db.deleteFrom('sign_in_failures').where('subject', '=', subject).execute()
}

/** An account, by the e-mail address that somebody typed or by its id. */
export type Account = { readonly email: string } | { readonly id: number }

/** Which of the places the account was signed in to from; none when there is no such account. */
export async function knownPlaces(
  db: Db,
  account: Account,
  digests: readonly string[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('sign_in_places')
    .innerJoin('users', 'users.id', 'sign_in_places.user_id')
    .select('place_digest')
    .where(
      'email' in account
        ? (of) => of('users.email_key', '=', fold(account.email))
        : (of) => of('users.id', '=', account.id),
    )
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
  await db.deleteFrom('sign_in_failures').where('window_ends_at', '<=', now()).execute()
  await db
    .deleteFrom('sign_in_places')
    .where('last_used_at', '<=', fromNow(-PLACE_LIFETIME))
    .execute()
}
