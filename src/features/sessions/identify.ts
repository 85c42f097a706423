import type { Db } from '../../db/tables.ts'
import type { Identify } from '../../http/access.ts'
import { digest } from '../../lib/secrets.ts'
import type { AccessTokens } from './access-tokens.ts'
import * as sessions from './store.ts'

/** The cookie of a signed-in browser. */
export const SESSION_COOKIE = 'session'

/**
 * Knows a caller by a bearer token or by the browser's cookie. Either way the session is read, so
 * that signing out, a changed password or an erased account count at once.
 */
export const identify = (db: Db, tokens: AccessTokens): Identify => ({
  async byBearerToken(token) {
    const claims = tokens.verify(token)
    return claims && sessions.findUser(db, claims.userId, claims.sessionId)
  },
  async byCookie({ [SESSION_COOKIE]: secret }) {
    return secret ? sessions.findUserByCookie(db, digest(secret)) : undefined
  },
})
