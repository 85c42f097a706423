import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { lazy } from './lazy.ts'
import { yieldToEventLoop } from './pool-threads.ts'
import { unavailable } from './problem.ts'

/**
 * Argon2id with the OWASP Password Storage Cheat Sheet's parameters: 19 MiB, 2 passes, 1 lane.
 * Hashes are PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`.
 */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }
const PREFIX = `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$`
const PHC = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/
const BCRYPT = /^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/

const derive = promisify(
  (parameters: Argon2Parameters, done: (error: Error | null, tag: Buffer) => void) =>
    argon2('argon2id', parameters, done),
)

// Each hash fills a thread of the pool that file and DNS work shares, and 19 MiB. So as many run as
// there are processors (but two threads stay free), a short queue waits, and the rest is refused.
const RUNNING_MAX = Math.max(1, Math.min(2, availableParallelism()))
const WAITING_MAX = 200
let running = 0
const waiting: Array<() => void> = []
let areYielding = false

async function bounded<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= RUNNING_MAX) {
    if (waiting.length >= WAITING_MAX) {
      throw unavailable('Too many sign-ins at once. Try again in a moment.', { retryAfter: 2 })
    }
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running++
  }
  try {
    return await work()
  } finally {
    if (!areYielding) yieldToEventLoop()
    areYielding = true
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

/** How many hashes are being computed, and how many wait for their turn. */
export const hashing = () => ({ running, waiting: waiting.length })

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')

/** NIST SP 800-63B §3.1.1.2: the same password typed on another keyboard is the same bytes. */
const bytesOf = (password: string): Buffer => Buffer.from(password.normalize('NFKC'))

/** Hashes a password for keeping. Throws a 503 `Problem` when too many hashes wait already. */
export async function hash(password: string): Promise<string> {
  const nonce = randomBytes(16)
  const tag = await bounded(() => derive({ ...COST, message: bytesOf(password), nonce }))
  return `${PREFIX}${unpadded(nonce)}$${unpadded(tag)}`
}

/** Whether a hash was made with an older scheme or cost, and should be made anew at sign-in. */
export const isOutdated = (kept: string): boolean => !kept.startsWith(PREFIX)

async function verifyArgon2(password: string, kept: RegExpExecArray): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', tag = ''] = kept
  const expected = Buffer.from(tag, 'base64')
  const actual = await derive({
    message: bytesOf(password),
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  })
  return timingSafeEqual(actual, expected)
}

const require = createRequire(import.meta.url)

// A library of its own, which few installations ever need. A failed `import` would fail for good; `require` tries again.
const bcrypt = lazy((): typeof import('@node-rs/bcrypt') => {
  try {
    return require('@node-rs/bcrypt')
  } catch (cause) {
    throw unavailable('The password cannot be checked right now. Try again in a moment.', { cause })
  }
})

// A hash that no password fits, so that an unknown account costs the time of a known one.
const NOBODY = `${PREFIX}${unpadded(randomBytes(16))}$${unpadded(randomBytes(COST.tagLength))}`

/** What compares a password with the stored hash, undefined when that is of no scheme that is known. */
function verifierOf(stored: string): ((password: string) => Promise<boolean>) | undefined {
  const parsed = PHC.exec(stored)
  if (parsed) return (password) => verifyArgon2(password, parsed)
  if (!BCRYPT.test(stored)) return undefined
  const { verify } = bcrypt()
  return (password) => verify(password, stored)
}

/** Whether the password fits, undefined when the stored hash is one that cannot be computed. */
async function fits(password: string, stored: string): Promise<boolean | undefined> {
  const verifier = verifierOf(stored)
  return verifier && bounded(() => verifier(password).catch(() => undefined))
}

/**
 * Whether `password` is the one that `kept` was made of: argon2id, or bcrypt from an imported
 * account, which takes longer. Without `kept` (no such account), or when it is corrupt, the answer is no, after the
 * work of argon2id. Throws a 503 `Problem` when too many hashes wait already, or when what computes bcrypt cannot be loaded.
 */
export async function verify(password: string, kept: string | undefined): Promise<boolean> {
  const result = kept === undefined ? undefined : await fits(password, kept)
  if (result !== undefined) return result
  await fits(password, NOBODY)
  return false
}
