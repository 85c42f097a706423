import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { claimsOf, goodToken, hmac, jwt } from '../tokens.ts'
import { type Person, type World, world } from '../world.ts'

/** The session that a person's own token names. */
function sessionOf(person: Person) {
  const [, claims = ''] = person.token.split('.')
  const { sid } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  return { id: person.id, sessionId: sid }
}

const statusOf = async ({ nobody }: World, authorization: string) =>
  (await nobody.get('/auth/me', { authorization })).statusCode

test('a token made with the key is as good as the service’s own, so the forgeries below are close', async (t) => {
  const here = await world(t)
  const token = goodToken(here.config.secretKey, sessionOf(here.ann))
  assert.equal(await statusOf(here, `Bearer ${token}`), 200)
})

test('a token with another algorithm, header, claim or signature is no token (401)', async (t) => {
  const here = await world(t)
  const { secretKey } = here.config
  const session = sessionOf(here.ann)
  const claims = claimsOf(session)
  const good = hmac(secretKey)
  const [head = '', body = '', signature = ''] = here.ann.token.split('.')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsa = (text: string) => sign('sha256', Buffer.from(text), privateKey).toString('base64url')
  const without = (name: keyof typeof claims) => {
    const { [name]: _gone, ...rest } = claims
    return rest
  }
  const bobs = Buffer.from(JSON.stringify(claimsOf(sessionOf(here.bob)))).toString('base64url')
  const forgeries: Record<string, string> = {
    'alg none': jwt({ alg: 'none' }, claims, () => ''),
    'alg None': jwt({ alg: 'None' }, claims, () => ''),
    'alg none, signed': jwt({ alg: 'none' }, claims, good),
    'no alg': jwt({}, claims, good),
    HS512: jwt({ alg: 'HS512' }, claims, hmac(secretKey, 'sha512')),
    RS256: jwt({ alg: 'RS256' }, claims, rsa),
    'RS256 signed with the secret': jwt({ alg: 'RS256' }, claims, good),
    'critical extension': jwt({ alg: 'HS256', crit: ['exp'], exp: 1 }, claims, good),
    'key in the header': jwt(
      { alg: 'HS256', jwk: { kty: 'oct', k: Buffer.from('mine').toString('base64url') } },
      claims,
      hmac('mine'),
    ),
    'key by a path': jwt({ alg: 'HS256', kid: '../../../../dev/null' }, claims, hmac('')),
    'no exp': jwt({ alg: 'HS256' }, without('exp'), good),
    'no sub': jwt({ alg: 'HS256' }, without('sub'), good),
    'no sid': jwt({ alg: 'HS256' }, without('sid'), good),
    'exp as text': jwt({ alg: 'HS256' }, { ...claims, exp: String(claims.exp) }, good),
    'exp past': jwt({ alg: 'HS256' }, { ...claims, exp: claims.iat - 1 }, good),
    'not yet': jwt({ alg: 'HS256' }, { ...claims, nbf: claims.exp }, good),
    'sub of another': jwt({ alg: 'HS256' }, { ...claims, sub: String(here.bob.id) }, good),
    'of no session': jwt({ alg: 'HS256' }, { ...claims, sid: 2 ** 40 }, good),
    'sub as SQL': jwt({ alg: 'HS256' }, { ...claims, sub: '1 or 1=1' }, good),
    'sid as an object': jwt({ alg: 'HS256' }, { ...claims, sid: { id: session.sessionId } }, good),
    'claims swapped': `${head}.${bobs}.${signature}`,
    'signature cut': `${head}.${body}.${signature.slice(0, -4)}`,
    'signature gone': `${head}.${body}.`,
    'two parts': `${head}.${body}`,
    'four parts': `${here.ann.token}.${signature}`,
    'a refresh token': here.ann.refreshToken,
    'null claims': `${head}.${Buffer.from('null').toString('base64url')}.${signature}`,
    'text, not JSON': `${Buffer.from('{').toString('base64url')}.${body}.${signature}`,
  }
  for (const [what, token] of Object.entries(forgeries)) {
    // Twice, since what was verified once is remembered.
    assert.equal(await statusOf(here, `Bearer ${token}`), 401, what)
    assert.equal(await statusOf(here, `Bearer ${token}`), 401, `${what}, again`)
  }
  assert.equal(await statusOf(here, `Bearer ${here.ann.token}`), 200)
})

test('a token counts in the Authorization header only', async (t) => {
  const here = await world(t)
  const { token } = here.ann
  for (const url of [`/auth/me?access_token=${token}`, `/auth/me?token=${token}`]) {
    assert.equal((await here.nobody.get(url)).statusCode, 401, url)
  }
  for (const cookie of [`session=${token}`, `access_token=${token}`]) {
    assert.equal((await here.nobody.get('/auth/me', { cookie })).statusCode, 401, cookie)
  }
  for (const authorization of [token, `Basic ${token}`, `Token ${token}`, `Bearer ${token} x`]) {
    assert.equal(await statusOf(here, authorization), 401, authorization.slice(0, 12))
  }
})

test('revoking takes a forged token for an unknown one, and ends nobody’s session', async (t) => {
  const here = await world(t)
  const session = sessionOf(here.ann)
  const forged = [
    jwt({ alg: 'none' }, claimsOf(session), () => ''),
    goodToken('another key that is long enough', session),
  ]
  for (const token of forged) {
    assert.equal((await here.nobody.form('/auth/revoke', { token })).statusCode, 200)
  }
  assert.equal(await statusOf(here, `Bearer ${here.ann.token}`), 200)
})
