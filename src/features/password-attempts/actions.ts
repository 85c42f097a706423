import type { Db } from '../../db/tables.ts'
import { signInFailures } from '../../lib/events.ts'
import { networkOf } from '../../lib/network.ts'
import { tooManyRequests } from '../../lib/problem.ts'
import { digest } from '../../lib/secrets.ts'
import { fold } from '../../lib/text.ts'
import { secondsUntil } from '../../lib/time.ts'
import * as store from './store.ts'

const TOGETHER = 10

/** Where a person is: at a network address, with a browser that may hold a secret of ours. */
export interface Place {
  readonly address: string
  readonly device?: string | undefined
}

/** A subject whose failures are counted, and how many it may have. */
interface Limit {
  readonly subject: string
  readonly most: number
  /** Whether who gets in has made the failures before it. */
  readonly isOwn: boolean
}

// The digests keep addresses and accounts of people out of the tables.
const ofAddress = (address: string) => digest(`address ${networkOf(address)}`)
const ofDevice = (device: string) => digest(`device ${device}`)

/**
 * What bounds the guessing of passwords at a sign-in, in 15 minutes: `limit` failures by one address at one account, ten
 * times as many by one address at all accounts, and ten times as many at one account by all those
 * together who never signed in to it from where they are. So guesses from a thousand addresses are
 * slowed as well, and the owner at an address that was used before is not kept out by them. In a browser that was used
 * before nobody else's failures count, nor those at the same address (OWASP Authentication Cheat Sheet, device cookies).
 */
export async function limitsAtSignIn(
  db: Db,
  { address, device }: Place,
  email: string,
  limit: number,
): Promise<readonly Limit[]> {
  const here = ofAddress(address)
  const browser = device === undefined ? undefined : ofDevice(device)
  const known = await store.knownPlaces(db, email, browser ? [here, browser] : [here])
  const atAccount = (who: string) => digest(`${who} account ${fold(email)}`)
  // It is known wherever it goes, but whoever has its cookie must not guess from everywhere.
  if (browser && known.includes(browser)) {
    return [{ subject: atAccount(browser), most: limit, isOwn: true }]
  }
  const together = limit * TOGETHER
  const limits = [
    // First: refused, it leaves nothing behind for whatever accounts it names.
    { subject: here, most: together, isOwn: false },
    { subject: atAccount(here), most: limit, isOwn: true },
  ]
  if (known.includes(here)) return limits
  return [...limits, { subject: atAccount('elsewhere'), most: together, isOwn: false }]
}

/** What bounds the guessing by who is signed in and confirms the password: `limit` failures of one session, whoever else fails. */
export const limitsOfSession = (
  { id, session_id }: { readonly id: number; readonly session_id: number },
  limit: number,
): readonly Limit[] => [
  { subject: digest(`session ${session_id} account id ${id}`), most: limit, isOwn: true },
]

/**
 * Looks at a password within the limits; gives what `look` does, undefined where it was wrong. Every try is counted as under way before
 * the password is looked at, so that many at once, on however many processes, cannot slip through. Those that
 * may all be right, as when many machines begin to work at once, are told to come again in a moment. Throws 429.
 */
export async function limited<Result>(
  db: Db,
  limits: readonly Limit[],
  look: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  const subjects: string[] = []
  let result: Result | undefined
  try {
    for (const limit of limits) {
      await takeOn(db, limit)
      subjects.push(limit.subject)
    }
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
  for (const { subject, isOwn } of limits) {
    if (isOwn) await store.clearFailures(db, subject)
    else await store.forgive(db, subject)
  }
  return result
}

async function takeOn(db: Db, { subject, most }: Limit): Promise<void> {
  if (await store.takeOn(db, subject, most)) return
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
