import { createHmac } from 'node:crypto'

interface Bearer {
  readonly id: number
  readonly sessionId: number
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT as anyone can make it: any header, any claims, any signature. */
export function jwt(header: object, claims: object, sign: (text: string) => string): string {
  const text = `${encode({ typ: 'JWT', ...header })}.${encode(claims)}`
  return `${text}.${sign(text)}`
}

export const hmac = (key: string, algorithm = 'sha256') => {
  return (text: string): string => createHmac(algorithm, key).update(text).digest('base64url')
}

/** The claims that the service itself would make; `lifetime` in seconds. */
export function claimsOf({ id, sessionId }: Bearer, lifetime = 600) {
  const iat = Math.floor(Date.now() / 1000)
  return { sub: String(id), sid: sessionId, iat, exp: iat + lifetime }
}

/** An access token made without the service, and as good as its own if the key is. */
export const goodToken = (key: string, bearer: Bearer, { lifetime = 600 } = {}): string =>
  jwt({ alg: 'HS256' }, claimsOf(bearer, lifetime), hmac(key))

/** A token with a header and a signature of one's own choice. */
export const forgedToken = (header: object, bearer: Bearer, signature: string): string =>
  jwt(header, claimsOf(bearer), () => signature)
