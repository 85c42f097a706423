import type { Db } from '../../db/tables.ts'
import { signInFailures } from '../../lib/events.ts'
import { networkOf } from '../../lib/network.ts'
import { tooManyRequests } from '../../lib/problem.ts'
import { digest } from '../../lib/secrets.ts'
import { fold } from '../../lib/text.ts'
import { fromNow, secondsUntil } from '../../lib/time.ts'
import * as store from './store.ts'

const WINDOW = 15 * 60
const TOGETHER = 10

/** Where a person is: at a network address, with a browser that may hold a secret of ours. */
export interface Place {
  readonly address: string
  readonly device?: string | undefined
}

interface Attempt extends Place {
  readonly account: store.Account
  /** How many failures one address may make at one account. */
  readonly limit: number
}

// The digests keep addresses and accounts of people out of the tables.
const ofAddress = (address: string) => digest(`address ${networkOf(address)}`)
const ofDevice = (device: string) => digest(`device ${device}`)

/**
 * Bounds the guessing of passwords in 15 minutes: `limit` failures by one address at one account, ten
 * times as many by one address at all accounts, and ten times as many at one account by all those
 * together who never signed in to it from where they are. So guesses from a thousand addresses are
 * slowed as well, and the owner, at an address or with a browser that was used before, is not kept
 * out by them (OWASP Authentication Cheat Sheet, device cookies). Every try is counted as under way before
 * the password is looked at, so that many at once, on however many processes, cannot slip through. Those that
 * may all be right, as when many machines begin to work at once, are told to come again in a moment. Throws 429.
 */
export async function limited<Result>(
  db: Db,
  attempt: Attempt,
  look: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  const { address, account, limit } = attempt
  const here = ofAddress(address)
  const own = atAccount(here, account)
  const subjects: string[] = []
  const count = async (limit: Limit) => {
    await takeOn(db, limit)
    subjects.push(limit.subject)
  }
  let result: Result | undefined
  try {
    // The address first: refused, it leaves nothing behind for whatever accounts it names.
    await count({ subject: here, most: limit * TOGETHER })
    await count({ subject: own, most: limit })
    const shared = await sharedLimit(db, attempt)
    if (shared) await count(shared)
    result = await look()
  } catch (error) {
    // Nobody looked at the password, so it was no failure.
    for (const subject of subjects) await store.forgive(db, subject)
    throw error
  }
  if (result === undefined) {
    signInFailures.publish('wrong')
    for (const subject of subjects) await store.countFailure(db, subject)
    return undefined
  }
  for (const subject of subjects) {
    if (subject === own) await store.clearFailures(db, subject)
    else await store.forgive(db, subject)
  }
  return result
}

/** A subject whose failures are counted, and how many it may have. */
interface Limit {
  readonly subject: string
  readonly most: number
}

const atAccount = (who: string, account: store.Account) =>
  digest(`${who} account ${'email' in account ? fold(account.email) : `id ${account.id}`}`)

/** The limit that is shared with other addresses; undefined at an address that is known. */
async function sharedLimit(
  db: Db,
  { address, device, account, limit }: Attempt,
): Promise<Limit | undefined> {
  const here = ofAddress(address)
  const browser = device === undefined ? undefined : ofDevice(device)
  const known = await store.knownPlaces(db, account, browser ? [here, browser] : [here])
  if (known.includes(here)) return undefined
  // A browser is known wherever it goes, but whoever has its cookie must not guess from everywhere.
  if (browser && known.includes(browser)) {
    return { subject: atAccount(browser, account), most: limit }
  }
  return { subject: atAccount('elsewhere', account), most: limit * TOGETHER }
}

async function takeOn(db: Db, { subject, most }: Limit): Promise<void> {
  if (await store.takeOn(db, subject, most, fromNow(WINDOW))) return
  const found = await store.findFailures(db, subject)
  if (!found || found.failures < most) {
    throw tooManyRequests('Too many attempts at the same time. Try again in a moment.', 1)
  }
  signInFailures.publish('limited')
  throw tooManyRequests(
    'Too many failed attempts. Try again later.',
    secondsUntil(found.window_ends_at),
  )
}

/** Remembers where a user signed in, so that others' failures do not count there. */
export async function remember(db: Db, userId: number, { address, device }: Place): Promise<void> {
  await store.rememberPlace(db, userId, ofAddress(address))
  if (device !== undefined) await store.rememberPlace(db, userId, ofDevice(device))
}
