import { createSigner, createVerifier, TokenError } from 'fast-jwt'

/** What an access token says: whose it is, and the session that it ends with. */
export interface Claims {
  readonly userId: number
  readonly sessionId: number
  /**
   * When the session began, to the second, as `hasBegunAt` wants it. Ids of a time that the restore of a backup took back are given again; a
   * token of then is not good for another's session. Those of earlier versions do not say it.
   */
  readonly beganAt: string | undefined
}

export interface AccessTokens {
  /** For how many seconds a token is good at most. */
  readonly lifetime: number
  /** A token of a session for so many seconds. */
  sign(
    session: { readonly id: number; readonly user_id: number; readonly created_at: string },
    lifetime: number,
  ): string
  /** The claims of a good token; undefined for a forged, foreign or expired one. */
  verify(token: string): Claims | undefined
  /** The claims of a token that was good once, for ending its session. */
  verifyExpired(token: string): Claims | undefined
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

/** As the start of a time that the database keeps. */
const toTheSecond = (second: number) => new Date(second * 1000).toISOString().slice(0, -5)

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0

/** With the second since 1970 from which the token is no longer good. */
type Verified = Claims & { readonly expiresAt: number }

/**
 * So many good tokens are known by themselves, without their signature being computed again. The
 * cache of `fast-jwt` would know them by a digest, which takes about as long as the signature; who
 * can read them here can read the key as well.
 */
const KNOWN_MAX = 10_000

type Keys = readonly [signing: string, ...fallbacks: string[]]

/**
 * JWTs signed with HS256 (RFC 7519); `lifetime` in seconds. The first key signs; a token of any of
 * them is good, so that a key can be exchanged while old tokens and old processes are still about.
 */
export function accessTokens(keys: Keys, lifetime: number): AccessTokens {
  const signer = createSigner({ key: keys[0], algorithm: 'HS256' })
  const verifiers = keys.map((key) =>
    createVerifier({
      key,
      algorithms: ['HS256'],
      requiredClaims: ['sub', 'sid', 'exp'],
      ignoreExpiration: true,
    }),
  )

  const verified = (token: string): Verified | undefined => {
    for (const verifier of verifiers) {
      const claims = claimsIn(verifier, token)
      if (claims) return claims
    }
    return undefined
  }
  const known = new Map<string, Verified>()
  return {
    lifetime,
    sign: ({ id, user_id, created_at }, lifetime) => {
      const iat = seconds(Date.now())
      // OpenID Connect Core 1.0, section 2, has this name for it.
      const auth_time = seconds(Date.parse(created_at))
      return signer({ sub: String(user_id), sid: id, auth_time, iat, exp: iat + lifetime })
    },
    verify: (token) => {
      let claims = known.get(token)
      if (!claims) {
        claims = verified(token)
        if (!claims) return undefined
        if (known.size >= KNOWN_MAX) known.clear()
        known.set(token, claims)
      }
      return claims.expiresAt > Date.now() / 1000 ? claims : undefined
    },
    verifyExpired: verified,
  }
}

function claimsIn(read: (token: string) => unknown, token: string): Verified | undefined {
  try {
    const payload = read(token)
    if (typeof payload !== 'object' || payload === null) return undefined
    const claims: { sub?: unknown; sid?: unknown; exp?: unknown; auth_time?: unknown } = payload
    const { sub, sid, exp, auth_time } = claims
    const userId = Number(sub)
    if (!isId(userId) || !isId(sid) || typeof exp !== 'number') return undefined
    const beganAt = typeof auth_time === 'number' ? toTheSecond(auth_time) : undefined
    return { userId, sessionId: sid, beganAt, expiresAt: exp }
  } catch (error) {
    if (error instanceof TokenError) return undefined
    throw error
  }
}
