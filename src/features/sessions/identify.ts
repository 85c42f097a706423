import type { Db } from '../../db/tables.ts'
import type { Identify } from '../../http/access.ts'
import { digest } from '../../lib/secrets.ts'
import { fromNow, secondsUntil } from '../../lib/time.ts'
import type { AccessTokens } from './access-tokens.ts'
import * as sessions from './store.ts'

/** A use is noted when the last one noted is so many seconds past, so that reading seldom writes. */
const NOTED_EVERY = 5 * 60

/**
 * Knows a caller by a bearer token or by the browser's cookie. Either way the session is read, so
 * that signing out, a changed password or an erased account count at once. A browser that was idle
 * for `idleTimeout` seconds is known no more.
 */
export const identify = (db: Db, tokens: AccessTokens, idleTimeout: number): Identify => ({
  async byBearerToken(token) {
    const claims = tokens.verify(token)
    return claims && sessions.findUser(db, claims.userId, claims.sessionId)
  },
  async byCookie(secret) {
    const found = await sessions.findUserByCookie(db, digest(secret), fromNow(-idleTimeout))
    if (!found) return undefined
    const { last_used_at, ...user } = found
    if (secondsUntil(last_used_at) < -Math.min(NOTED_EVERY, idleTimeout / 2)) {
      await sessions.noteUse(db, user.id, user.session_id)
    }
    return user
  },
})
