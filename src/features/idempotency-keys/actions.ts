import type { Db } from '../../db/tables.ts'
import { conflict, invalid } from '../../lib/problem.ts'
import { isRecord } from '../../lib/record.ts'
import { digest } from '../../lib/secrets.ts'
import * as idempotencyKeys from './store.ts'

export interface Key {
  readonly key?: string | undefined
  /** Whether a repeat waits for the first try while that still runs, instead of being refused. */
  readonly waits?: boolean
}

interface Attempt extends Key {
  readonly userId: number
  /** What is asked for: a repeat must ask for the same. */
  readonly request: unknown
}

/** The members of an object have no order in JSON (RFC 8259 §1), and some clients write them in any. */
const inOrder = (_key: string, value: unknown): unknown =>
  isRecord(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value

/**
 * Does a write once for each key. The write and the kept answer are one transaction, so neither is
 * ever there without the other, whenever the process ends. Throws 409 while the first try with the
 * key still runs and this one does not wait (on SQLite each waits), and 422 when the key came with another request before.
 */
export async function once<Answer>(
  db: Db,
  { userId, key, waits = false, request }: Attempt,
  write: (db: Db) => Promise<Answer>,
  read: (kept: unknown) => Answer,
): Promise<Answer> {
  if (key === undefined) return write(db)
  const fingerprint = digest(JSON.stringify(request, inOrder))
  await idempotencyKeys.claim(db, userId, key)
  return db.transaction().execute(async (db) => {
    const { isTaken, kept } = await idempotencyKeys.take(db, userId, key, { waits })
    if (isTaken) throw conflict('The first request with this Idempotency-Key is still running.')
    if (kept && kept.fingerprint !== fingerprint) {
      const msg = 'was used for another request; take a new key'
      throw invalid({ loc: ['header', 'idempotency-key'], msg, type: 'key_reused' })
    }
    if (kept) return read(JSON.parse(kept.answer))
    const answer = await write(db)
    await idempotencyKeys.keep(db, userId, key, { fingerprint, answer: JSON.stringify(answer) })
    return answer
  })
}
