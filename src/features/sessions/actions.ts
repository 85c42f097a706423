import type { Db } from '../../db/tables.ts'
import * as passwords from '../../lib/passwords.ts'
import { notFound, type Problem, unauthenticated } from '../../lib/problem.ts'
import { digest, randomSecret } from '../../lib/secrets.ts'
import { fromNow, secondsUntil } from '../../lib/time.ts'
import { limited, type Place, remember } from '../password-attempts/actions.ts'
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
 * The id of the account that the credentials open. Throws 401, alike and after the same time
 * whether the account exists or not, and 429 after too many failures.
 */
export async function authenticate(
  db: Db,
  rules: SignInRules,
  { email, password, address, device }: Credentials,
): Promise<number> {
  const attempt = { address, device, account: { email }, limit: rules.failures }
  const id = await limited(db, attempt, async () => {
    const user = await users.findByEmail(db, email)
    const fits = await passwords.verify(password, user?.password_hash)
    if (!user || !fits) return undefined
    if (passwords.isOutdated(user.password_hash)) {
      await users.rehash(db, user.id, await passwords.hash(password))
    }
    return user.id
  })
  if (id === undefined) throw unauthenticated('Incorrect email or password')
  return id
}

/** Signs an API client in: a new session, and its first pair of tokens. */
export async function signIn(
  db: Db,
  rules: SignInRules,
  credentials: Credentials & Client,
): Promise<Tokens> {
  const user_id = await authenticate(db, rules, credentials)
  return db.transaction().execute(async (db) => {
    const session = await sessions.create(db, {
      user_id,
      expires_at: fromNow(rules.sessionLifetime),
      cookie_digest: null,
      ...kept(credentials),
    })
    await remember(db, user_id, credentials)
    return issue(db, rules, session)
  })
}

/**
 * Begins a browser's session and gives the secret for its cookie: a new one at every sign-in (OWASP
 * Session Management Cheat Sheet, session fixation), whose predecessor `previous` ends.
 */
export async function begin(
  db: Db,
  { sessionLifetime }: SignInRules,
  user_id: number,
  client: Client & { readonly previous: string | undefined },
): Promise<string> {
  const secret = randomSecret()
  await db.transaction().execute(async (db) => {
    if (client.previous) await sessions.removeByCookie(db, digest(client.previous))
    await sessions.create(db, {
      user_id,
      expires_at: fromNow(sessionLifetime),
      cookie_digest: digest(secret),
      ...kept(client),
    })
    await remember(db, user_id, client)
  })
  return secret
}

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
    expires_at: fromNow(Math.min(refreshTokenLifetime, secondsUntil(session.expires_at))),
  })
  return {
    access_token: tokens.sign({ userId: session.user_id, sessionId: session.id }),
    token_type: 'bearer',
    expires_in: tokens.lifetime,
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
    const spent = await sessions.spendRefreshToken(db, token_digest)
    if (spent) {
      const session = await sessions.find(db, spent.user_id, spent.session_id)
      if (!session) return undefined
      await sessions.noteUse(db, session.user_id, session.id)
      return issue(db, rules, session)
    }
    const again = await sessions.findRefreshToken(db, token_digest)
    if (again?.spent_at) await sessions.remove(db, again.user_id, again.session_id)
    return undefined
  })
  if (!pair) throw STALE
  return pair
}

/** Ends the session that a refresh or access token belongs to; an unknown token is no error (RFC 7009 §2.2). */
export async function revoke(db: Db, { tokens }: SignInRules, token: string): Promise<void> {
  const claims = tokens.verifyExpired(token)
  if (claims) return sessions.remove(db, claims.userId, claims.sessionId)
  const refreshToken = await sessions.findRefreshToken(db, digest(token))
  if (refreshToken) await sessions.remove(db, refreshToken.user_id, refreshToken.session_id)
}
