import type { Db } from '../../db/tables.ts'
import { tooManyRequests } from '../../lib/problem.ts'
import { digest } from '../../lib/secrets.ts'
import { fold } from '../../lib/text.ts'
import { fromNow, secondsUntil } from '../../lib/time.ts'
import * as sessions from './store.ts'

const WINDOW = 15 * 60
const AT_ALL_ACCOUNTS = 10

/**
 * Bounds the guessing of passwords, by one address at one account and by one address at all. A
 * stranger's failures are counted at the stranger's address, so they lock nobody else out. Every
 * try is counted before the password is looked at, so that many at once cannot slip through.
 * Throws 429 when `limit` failures at one account, or ten times as many at all, were made in 15 minutes.
 */
export async function limited<Result>(
  db: Db,
  { address, account, limit }: { address: string; account: string; limit: number },
  attempt: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  // The digest keeps addresses and accounts of people out of the table.
  const here = digest(`address ${address}`)
  const atAccount = digest(`address ${address} account ${fold(account)}`)

  for (const [subject, most] of [
    [atAccount, limit],
    [here, limit * AT_ALL_ACCOUNTS],
  ] as const) {
    const { failures, window_ends_at } = await sessions.countFailure(db, subject, fromNow(WINDOW))
    if (failures > most) {
      throw tooManyRequests(
        'Too many failed attempts. Try again later.',
        secondsUntil(window_ends_at),
      )
    }
  }
  const result = await attempt()
  if (result !== undefined) {
    await sessions.clearFailures(db, atAccount)
    await sessions.forgiveFailure(db, here)
  }
  return result
}
