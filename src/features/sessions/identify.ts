import type { Db } from '../../db/tables.ts'
import type { Identify } from '../../http/access.ts'
import { digest } from '../../lib/secrets.ts'
import { fromNow, secondsUntil } from '../../lib/time.ts'
import type { AccessTokens } from './access-tokens.ts'
import * as sessions from './store.ts'

/** Few at a time, so that a database that is slow to write leaves connections for those who read. */
const NOTED_AT_ONCE = 2

/** After one that failed none is noted for so many milliseconds. Each request would else try in vain. */
const PAUSE = 5_000

/** A use is noted when the last one noted is so many seconds past, so that reading seldom writes. */
const NOTED_EVERY = 5 * 60

/**
 * Notes uses without anyone waiting for it: who reads must not depend on whether the database can be written. What is
 * left out is noted with a later request. `onFailure` hears of the first failure before each pause.
 */
function noter(db: Db, onFailure: (error: unknown) => void) {
  const underWay = new Set<number>()
  let pausedUntil = 0
  return async (userId: number, sessionId: number): Promise<void> => {
    const isFull = underWay.size >= NOTED_AT_ONCE
    if (isFull || underWay.has(sessionId) || performance.now() < pausedUntil) return
    underWay.add(sessionId)
    try {
      await sessions.noteUse(db, userId, sessionId)
    } catch (error) {
      if (performance.now() >= pausedUntil) onFailure(error)
      pausedUntil = performance.now() + PAUSE
    } finally {
      underWay.delete(sessionId)
    }
  }
}

/**
 * Knows a caller by a bearer token or by the browser's cookie. Either way the session is read, so
 * that signing out, a changed password or an erased account count at once. A browser that was idle
 * for `idleTimeout` seconds is known no more.
 */
export function identify(
  db: Db,
  tokens: AccessTokens,
  idleTimeout: number,
  onUseNotNoted: (error: unknown) => void,
): Identify {
  const note = noter(db, onUseNotNoted)
  return {
    async byBearerToken(token) {
      const claims = tokens.verify(token)
      return claims && sessions.findUser(db, claims.userId, claims.sessionId, claims.beganAt)
    },
    async byCookie(secret) {
      const found = await sessions.findUserByCookie(db, digest(secret), fromNow(-idleTimeout))
      if (!found) return undefined
      const { last_used_at, ...user } = found
      if (secondsUntil(last_used_at) < -Math.min(NOTED_EVERY, idleTimeout / 2)) {
        void note(user.id, user.session_id)
      }
      return user
    },
  }
}
