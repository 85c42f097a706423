import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSigner } from 'fast-jwt'
import { clientOf, PASSWORD, type World, world } from '../../../test/world.ts'
import { digest } from '../../lib/secrets.ts'
import { fromNow } from '../../lib/time.ts'

const MOUNTS = ['/auth', '/auth/', '/api/v1/auth', '/api/v1/auth/'] as const
const STALE = 'The refresh token is not good any more. Sign in again.'

const refresh = ({ nobody }: World, refresh_token: string, url = '/auth/token') =>
  nobody.form(url, { grant_type: 'refresh_token', refresh_token })

const statusOf = async ({ app }: World, token: string) =>
  (await clientOf(app, token).get('/auth/me')).statusCode

const signIn = async ({ nobody }: World, username: string) =>
  (await nobody.form('/auth/token', { username, password: PASSWORD })).json()

async function assertStale(here: World, token: string): Promise<void> {
  const answer = await refresh(here, token)
  assert.equal(answer.statusCode, 401)
  assert.equal(answer.headers['www-authenticate'], 'Bearer')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(answer.json().detail, STALE)
}

test('a refresh token is traded for a new pair, at both mounts', async (t) => {
  const here = await world(t)
  let token = here.ann.refreshToken
  for (const mount of MOUNTS) {
    const answer = await refresh(here, token, mount.replace(/\/?$/, '/token'))
    assert.equal(answer.statusCode, 200, mount)
    assert.equal(answer.headers['cache-control'], 'no-store')
    const { access_token, refresh_token, ...rest } = answer.json()
    assert.deepEqual(rest, { token_type: 'bearer', expires_in: 900, scope: '' })
    assert.notEqual(refresh_token, token)
    assert.equal((await clientOf(here.app, access_token).get('/auth/me')).json().id, here.ann.id)
    token = refresh_token
  }
})

test('a spent refresh token used again ends its whole family, and no other session', async (t) => {
  const here = await world(t)
  const elsewhere = await signIn(here, here.ann.email)
  const second = (await refresh(here, here.ann.refreshToken)).json()
  const third = (await refresh(here, second.refresh_token)).json()
  for (const token of [here.ann.token, second.access_token, third.access_token])
    assert.equal(await statusOf(here, token), 200)

  await assertStale(here, here.ann.refreshToken)
  for (const token of [here.ann.token, second.access_token, third.access_token])
    assert.equal(await statusOf(here, token), 401)
  for (const token of [here.ann.refreshToken, second.refresh_token, third.refresh_token])
    await assertStale(here, token)

  assert.equal(await statusOf(here, elsewhere.access_token), 200)
  assert.equal((await refresh(here, elsewhere.refresh_token)).statusCode, 200)
  assert.equal((await refresh(here, here.bob.refreshToken)).statusCode, 200)
})

test('many trades of one refresh token at once give exactly one pair', async (t) => {
  const here = await world(t)
  const token = here.ann.refreshToken
  const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(here, token)))
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  assert.deepEqual(statuses, [200, ...Array(7).fill(401)])
})

test('a refresh token that was left too long is refused, and ends nothing', async (t) => {
  const here = await world(t)
  await here.db
    .updateTable('refresh_tokens')
    .set({ expires_at: fromNow(-1) })
    .where('token_digest', '=', digest(here.ann.refreshToken))
    .execute()
  await assertStale(here, here.ann.refreshToken)
  assert.equal(await statusOf(here, here.ann.token), 200)
})

test('a token that never was, or is of another kind, is refused (401)', async (t) => {
  const here = await world(t)
  const { ann } = here
  for (const token of ['garbage', ann.token, digest(ann.refreshToken), `${ann.refreshToken}=`])
    await assertStale(here, token)
  assert.equal((await refresh(here, ann.refreshToken)).statusCode, 200)
})

test('a session ends for good at its limit, however often it was refreshed', async (t) => {
  const here = await world(t, { SESSION_LIFETIME: '60', REFRESH_TOKEN_LIFETIME: '3600' })
  const sessions = () =>
    here.db
      .selectFrom('sessions')
      .select(['id', 'expires_at'])
      .where('user_id', '=', here.ann.id)
      .execute()
  const before = await sessions()
  const fresh = (await refresh(here, here.ann.refreshToken)).json()
  assert.deepEqual(await sessions(), before, 'refreshing does not move the limit')
  const tokens = await here.db
    .selectFrom('refresh_tokens')
    .select('expires_at')
    .where('user_id', '=', here.ann.id)
    .execute()
  assert.deepEqual(
    tokens.map(({ expires_at }) => expires_at),
    [before[0]?.expires_at, before[0]?.expires_at],
    'no refresh token outlives its session',
  )

  await here.db
    .updateTable('sessions')
    .set({ expires_at: fromNow(-1) })
    .where('user_id', '=', here.ann.id)
    .execute()
  assert.equal(await statusOf(here, fresh.access_token), 401)
  await assertStale(here, fresh.refresh_token)
})

test('revoking a refresh token ends its session, spent or not, and no other', async (t) => {
  for (const mount of MOUNTS) {
    const here = await world(t)
    const elsewhere = await signIn(here, here.ann.email)
    const { access_token, refresh_token } = (await refresh(here, here.ann.refreshToken)).json()
    const token = mount.endsWith('/') ? here.ann.refreshToken : refresh_token
    const url = mount.replace(/\/?$/, '/revoke')
    const answer = await here.nobody.form(url, { token, token_type_hint: 'refresh_token' })
    assert.equal(answer.statusCode, 200, mount)
    assert.equal(answer.body, '')
    assert.equal(await statusOf(here, access_token), 401)
    assert.equal(await statusOf(here, here.ann.token), 401)
    await assertStale(here, refresh_token)
    assert.equal(await statusOf(here, elsewhere.access_token), 200)
  }
})

test('revoking an access token ends its session, even when the token has expired', async (t) => {
  const here = await world(t)
  const { ann, bob, nobody, db, config } = here
  assert.equal((await nobody.form('/auth/revoke', { token: ann.token })).statusCode, 200)
  assert.equal(await statusOf(here, ann.token), 401)
  await assertStale(here, ann.refreshToken)

  const { id: sid } = await db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', bob.id)
    .executeTakeFirstOrThrow()
  const iat = Math.floor(Date.now() / 1000) - 60
  const claims = { sub: String(bob.id), sid, iat, exp: iat + 30 }
  const expiredBy = (key: string) => createSigner({ key, algorithm: 'HS256' })(claims)

  const forged = expiredBy('another key, which is long enough as well')
  assert.equal((await nobody.form('/auth/revoke', { token: forged })).statusCode, 200)
  assert.equal(await statusOf(here, bob.token), 200, 'a forged token ends nothing')
  const token = expiredBy(config.secretKey)
  assert.equal((await nobody.form('/auth/revoke', { token })).statusCode, 200)
  assert.equal(await statusOf(here, bob.token), 401)
})

test('revoking a token that is unknown or already gone is no error (200)', async (t) => {
  const here = await world(t)
  const { ann, bob, nobody } = here
  for (const token of ['garbage', 'a.b.c', ann.refreshToken, ann.refreshToken, ann.token]) {
    const answer = await nobody.form('/auth/revoke', { token, client_id: 'docs' })
    assert.equal(answer.statusCode, 200, token)
    assert.equal(answer.body, '')
  }
  assert.equal(await statusOf(here, bob.token), 200)
})

test('revoking needs a token (422), as a form (415)', async (t) => {
  const { ann, nobody } = await world(t)
  const nothing = await nobody.form('/auth/revoke', { client_id: 'docs' })
  assert.equal(nothing.statusCode, 422)
  assert.deepEqual(nothing.json().errors, [
    { loc: ['body', 'token'], msg: 'is required', type: 'missing' },
  ])
  const json = await nobody.post('/auth/revoke', { token: ann.token })
  assert.equal(json.statusCode, 415)
  assert.equal((await ann.get('/auth/me')).statusCode, 200)
})
