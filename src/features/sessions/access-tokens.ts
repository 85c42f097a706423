import { createSigner, createVerifier, TokenError } from 'fast-jwt'

/** What an access token says: whose it is, and the session that it ends with. */
export interface Claims {
  readonly userId: number
  readonly sessionId: number
}

export interface AccessTokens {
  readonly lifetime: number
  sign(claims: Claims): string
  /** The claims of a good token; undefined for a forged, foreign or expired one. */
  verify(token: string): Claims | undefined
  /** The claims of a token that was good once, for ending its session. */
  verifyExpired(token: string): Claims | undefined
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0

type Keys = readonly [signing: string, ...fallbacks: string[]]

/**
 * JWTs signed with HS256 (RFC 7519); `lifetime` in seconds. The first key signs; a token of any of
 * them is good, so that a key can be exchanged while old tokens and old processes are still about.
 */
export function accessTokens(keys: Keys, lifetime: number): AccessTokens {
  const signer = createSigner({ key: keys[0], algorithm: 'HS256', expiresIn: lifetime * 1000 })
  const verifiers = keys.map((key) => {
    const options = { key, algorithms: ['HS256' as const], requiredClaims: ['sub', 'sid', 'exp'] }
    return {
      strict: createVerifier({ ...options, cache: 10_000, cacheTTL: lifetime * 1000 }),
      lenient: createVerifier({ ...options, ignoreExpiration: true }),
    }
  })

  const claimsBy = (kind: 'strict' | 'lenient', token: string): Claims | undefined => {
    for (const verifier of verifiers) {
      const claims = claimsIn(verifier[kind], token)
      if (claims) return claims
    }
    return undefined
  }
  return {
    lifetime,
    sign: ({ userId, sessionId }) => signer({ sub: String(userId), sid: sessionId }),
    verify: (token) => claimsBy('strict', token),
    verifyExpired: (token) => claimsBy('lenient', token),
  }
}

function claimsIn(read: (token: string) => unknown, token: string): Claims | undefined {
  try {
    const payload = read(token)
    if (typeof payload !== 'object' || payload === null) return undefined
    const { sub, sid }: { sub?: unknown; sid?: unknown } = payload
    const userId = Number(sub)
    return isId(userId) && isId(sid) ? { userId, sessionId: sid } : undefined
  } catch (error) {
    if (error instanceof TokenError) return undefined
    throw error
  }
}
