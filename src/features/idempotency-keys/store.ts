import type { Db } from '../../db/tables.ts'
import { fromNow, now } from '../../lib/time.ts'

const LIFETIME = 24 * 60 * 60

export interface KeptAnswer {
  readonly fingerprint: string
  readonly answer: string
}

/** The answer that was kept under the key in the last 24 hours. */
export async function find(db: Db, userId: number, key: string): Promise<KeptAnswer | undefined> {
  return db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'answer'])
    .where('user_id', '=', userId)
    .where('key', '=', key)
    .where('created_at', '>', fromNow(-LIFETIME))
    .executeTakeFirst()
}

/** Keeps an answer, in the place of one that is too old to count. */
export async function create(db: Db, userId: number, key: string, kept: KeptAnswer): Promise<void> {
  const values = { ...kept, created_at: now() }
  await db
    .insertInto('idempotency_keys')
    .values({ user_id: userId, key, ...values })
    .onConflict((conflict) => conflict.columns(['user_id', 'key']).doUpdateSet(values))
    .execute()
}

export async function purge(db: Db): Promise<void> {
  await db.deleteFrom('idempotency_keys').where('created_at', '<=', fromNow(-LIFETIME)).execute()
}
