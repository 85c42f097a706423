import type { Db } from '../../db/tables.ts'
import * as passwords from '../../lib/passwords.ts'
import { notFound, type Problem, unauthenticated } from '../../lib/problem.ts'
import { digest, randomSecret } from '../../lib/secrets.ts'
import { earlier, fromNow, secondsUntil } from '../../lib/time.ts'
import { limited, limitsAtSignIn, type Place, remember } from '../password-attempts/actions.ts'
import * as users from '../users/store.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Tokens } from './schema.ts'
import * as sessions from './store.ts'

/** How sign-in works here. Lifetimes in seconds. */
export interface SignInRules {
  readonly tokens: AccessTokens
  readonly refreshTokenLifetime: number
  /** The longest that a session lasts. */
  readonly sessionLifetime: number
  readonly failures: number
}

interface Credentials extends Place {
  readonly email: string
  readonly password: string
}

/** What a client is known by, among others in the list of sessions. */
export interface Client extends Place {
  readonly userAgent: string | undefined
}

/** Clients call themselves what they like; this much of it is kept. */
const USER_AGENT_LENGTH = 300
const kept = ({ address, userAgent }: Client) => ({
  address,
  user_agent: userAgent?.slice(0, USER_AGENT_LENGTH) ?? null,
})

/**
 * Does what `enter` does as the account that the credentials open, in one transaction. Throws 401, alike
 * and after the same time whether the account exists or not, unless its hash is an imported one (bcrypt takes longer), and
 * 429 after too many failures.
 *
 * The account may change while its password is looked at. A new password ends all sessions, and one that
 * began behind it by the old one would go on; so what has changed is looked at again.
 */
async function authenticated<Result>(
  db: Db,
  { failures }: SignInRules,
  { email, password, address, device }: Credentials,
  enter: (db: Db, userId: number) => Promise<Result>,
): Promise<Result> {
  for (;;) {
    const limits = await limitsAtSignIn(db, { address, device }, email, failures)
    const account = await limited(db, limits, async () => {
      const kept = await users.findByEmail(db, email)
      const fits = await passwords.verify(password, kept?.password_hash)
      if (!kept || !fits) return undefined
      if (passwords.isOutdated(kept.password_hash)) {
        await users.rehash(db, kept, await passwords.hash(password))
      }
      return kept
    })
    if (!account) throw unauthenticated('Incorrect email or password')
    const entered = await db.transaction().execute(async (db) => {
      if (!(await users.hold(db, account))) return undefined
      return { result: await enter(db, account.id) }
    })
    if (entered) return entered.result
  }
}

/** Signs an API client in: a new session, and its first pair of tokens. Throws 401 and 429. */
export const signIn = (
  db: Db,
  rules: SignInRules,
  credentials: Credentials & Client,
): Promise<Tokens> =>
  authenticated(db, rules, credentials, async (db, user_id) => {
    const session = await sessions.create(db, {
      user_id,
      expires_at: fromNow(rules.sessionLifetime),
      cookie_digest: null,
      ...kept(credentials),
    })
    await remember(db, user_id, credentials)
    return issue(db, rules, session)
  })

/** What a browser is known by. The session before, if it has one, ends as a new one begins. */
export interface Browser extends Client {
  readonly previous: string | undefined
}

/** Signs a browser in, and gives the secret for its cookie. Throws 401 and 429. */
export const signInBrowser = (
  db: Db,
  rules: SignInRules,
  credentials: Credentials & Browser,
): Promise<string> =>
  authenticated(db, rules, credentials, (db, userId) => begin(db, rules, userId, credentials))

/**
 * Begins a browser's session and gives the secret for its cookie: a new one at every sign-in (OWASP
 * Session Management Cheat Sheet, session fixation). To be called in a transaction.
 */
async function begin(
  db: Db,
  { sessionLifetime }: SignInRules,
  user_id: number,
  browser: Browser,
): Promise<string> {
  const secret = randomSecret()
  if (browser.previous) await sessions.removeByCookie(db, digest(browser.previous))
  await sessions.create(db, {
    user_id,
    expires_at: fromNow(sessionLifetime),
    cookie_digest: digest(secret),
    ...kept(browser),
  })
  await remember(db, user_id, browser)
  return secret
}

/** Begins a browser's session for one who needs no password: who has just made the account. */
export const signInUnasked = (
  db: Db,
  rules: SignInRules,
  userId: number,
  browser: Browser,
): Promise<string> => db.transaction().execute((db) => begin(db, rules, userId, browser))

/** Ends the session whose cookie holds the secret, if there is one. */
export const end = (db: Db, secret: string): Promise<void> =>
  sessions.removeByCookie(db, digest(secret))

/** Ends one of a user's sessions. Throws 404 for one that is not theirs, or not any more. */
export async function endOne(db: Db, userId: number, id: number): Promise<void> {
  if (!(await sessions.find(db, userId, id))) throw notFound('Session')
  await sessions.remove(db, userId, id)
}

async function issue(
  db: Db,
  { tokens, refreshTokenLifetime }: SignInRules,
  session: sessions.Session,
): Promise<Tokens> {
  const refresh_token = randomSecret()
  await sessions.createRefreshToken(db, {
    token_digest: digest(refresh_token),
    user_id: session.user_id,
    session_id: session.id,
    expires_at: earlier(fromNow(refreshTokenLifetime), session.expires_at),
  })
  // Neither token outlives its session.
  const left = Math.max(0, Math.floor(secondsUntil(session.expires_at)))
  const expires_in = Math.min(tokens.lifetime, left)
  return {
    access_token: tokens.sign(session, expires_in),
    token_type: 'bearer',
    expires_in,
    refresh_token,
    scope: '',
  }
}

const STALE: Problem = unauthenticated('The refresh token is not good any more. Sign in again.')

/**
 * A new pair for a refresh token, which is then spent. A spent token that comes again was stolen,
 * from the client or by it, so the whole session ends (RFC 9700 §4.14.2). Throws 401.
 */
export async function refresh(db: Db, rules: SignInRules, refreshToken: string): Promise<Tokens> {
  const token_digest = digest(refreshToken)
  const pair = await db.transaction().execute(async (db) => {
    const known = await sessions.findRefreshToken(db, token_digest)
    const session = known && (await sessions.hold(db, known.user_id, known.session_id))
    if (!session) return undefined
    if (await sessions.spendRefreshToken(db, token_digest)) {
      await sessions.noteUse(db, session.user_id, session.id)
      return issue(db, rules, session)
    }
    // Read again: another may have spent it while this one waited for the session.
    const again = await sessions.findRefreshToken(db, token_digest)
    if (again?.spent_at) await sessions.remove(db, session.user_id, session.id)
    return undefined
  })
  if (!pair) throw STALE
  return pair
}

/** Ends the session that a refresh or access token belongs to; an unknown token is no error (RFC 7009 §2.2). */
export async function revoke(db: Db, { tokens }: SignInRules, token: string): Promise<void> {
  const claims = tokens.verifyExpired(token)
  if (claims) {
    const session = await sessions.find(db, claims.userId, claims.sessionId)
    if (!session || !sessions.hasBegunAt(session, claims.beganAt)) return
    return sessions.remove(db, session.user_id, session.id)
  }
  const refreshToken = await sessions.findRefreshToken(db, digest(token))
  if (refreshToken) await sessions.remove(db, refreshToken.user_id, refreshToken.session_id)
}
