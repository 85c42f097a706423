import { createSigner, createVerifier, TokenError } from 'fast-jwt'

/** What an access token says: whose it is, and the session that it ends with. */
export interface Claims {
  readonly userId: number
  readonly sessionId: number
}

export interface AccessTokens {
  /** For how many seconds a token is good at most. */
  readonly lifetime: number
  /** A token for so many seconds. */
  sign(claims: Claims, lifetime: number): string
  /** The claims of a good token; undefined for a forged, foreign or expired one. */
  verify(token: string): Claims | undefined
  /** The claims of a token that was good once, for ending its session. */
  verifyExpired(token: string): Claims | undefined
}

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
    sign: ({ userId, sessionId }, lifetime) => {
      const iat = Math.floor(Date.now() / 1000)
      return signer({ sub: String(userId), sid: sessionId, iat, exp: iat + lifetime })
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
    const { sub, sid, exp }: { sub?: unknown; sid?: unknown; exp?: unknown } = payload
    const userId = Number(sub)
    if (!isId(userId) || !isId(sid) || typeof exp !== 'number') return undefined
    return { userId, sessionId: sid, expiresAt: exp }
  } catch (error) {
    if (error instanceof TokenError) return undefined
    throw error
  }
}
