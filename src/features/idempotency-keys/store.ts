import { isSqlite } from '../../db/dialect.ts'
import type { Db } from '../../db/tables.ts'
import { fromNow, now } from '../../lib/time.ts'

const LIFETIME = 24 * 60 * 60
/** Stands for the answer as long as there is none. */
const NONE = ''

interface KeptAnswer {
  readonly fingerprint: string
  readonly answer: string
}

/**
 * Makes a row of the key, without an answer, so that it can be locked; to be committed before
 * `take`. SQLite needs none, since it has only one writing transaction at a time.
 */
export async function claim(db: Db, userId: number, key: string): Promise<void> {
  if (isSqlite(db)) return
  await db
    .insertInto('idempotency_keys')
    .values({ user_id: userId, key, fingerprint: '', answer: NONE, created_at: now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/**
 * Takes the key until the transaction ends, and gives the answer that was kept under it in the last 24
 * hours. `isTaken` is true while another transaction has the key, unless this one waits for that to end.
 */
export async function take(
  db: Db,
  userId: number,
  key: string,
  { waits }: { readonly waits: boolean },
): Promise<{ isTaken: boolean; kept: KeptAnswer | undefined }> {
  const rows = db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'answer', 'created_at'])
    .where('user_id', '=', userId)
    .where('key', '=', key)
  if (isSqlite(db)) return { isTaken: false, kept: ofToday(await rows.executeTakeFirst()) }
  const locked = rows.forUpdate()
  const row = await (waits ? locked : locked.skipLocked()).executeTakeFirst()
  return { isTaken: row === undefined, kept: ofToday(row) }
}

const ofToday = (row: (KeptAnswer & { created_at: string }) | undefined): KeptAnswer | undefined =>
  row && row.answer !== NONE && row.created_at > fromNow(-LIFETIME) ? row : undefined

/** Keeps an answer, in the place of none or of one that is too old to count. */
export async function keep(db: Db, userId: number, key: string, kept: KeptAnswer): Promise<void> {
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
