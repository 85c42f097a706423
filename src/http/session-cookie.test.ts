import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientOf, world } from '../../test/world.ts'
import { SESSION_COOKIE } from '../features/sessions/identify.ts'
import * as sessions from '../features/sessions/store.ts'
import { digest, randomSecret } from '../lib/secrets.ts'
import { fromNow } from '../lib/time.ts'

const TODOS = '/api/v1/todos'

async function browser(t: Parameters<typeof world>[0], lifetime = 60) {
  const here = await world(t)
  const secret = randomSecret()
  const session = await sessions.create(here.db, {
    user_id: here.ann.id,
    cookie_digest: digest(secret),
    expires_at: fromNow(lifetime),
  })
  return { ...here, session, browser: clientOf(here.app), cookie: `${SESSION_COOKIE}=${secret}` }
}

test('the cookie of a signed-in browser reads what its user may read', async (t) => {
  const { browser: client, cookie, ann } = await browser(t)
  const answer = await client.get('/auth/me', { cookie })
  assert.deepEqual([answer.statusCode, answer.json().id], [200, ann.id])
  for (const wrong of [
    `${SESSION_COOKIE}=`,
    `${SESSION_COOKIE}=nonsense`,
    `other=1; ${SESSION_COOKIE}=%00`,
  ]) {
    assert.equal((await client.get('/auth/me', { cookie: wrong })).statusCode, 401, wrong)
  }
})

/** What a browser says of a page elsewhere, or does not say. */
const FOREIGN: ReadonlyArray<Record<string, string>> = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'cross-site', origin: 'http://todo.example' },
  { origin: 'http://evil.example' },
  { origin: 'https://todo.example' },
  { origin: 'null' },
  {},
]

test('a cookie changes something only from the same origin (403)', async (t) => {
  const { browser: client, cookie } = await browser(t)
  const write = async (headers: Record<string, string>) =>
    (await client.post(TODOS, { text: 'a' }, { cookie, host: 'todo.example', ...headers }))
      .statusCode
  assert.equal(await write({ 'sec-fetch-site': 'same-origin' }), 201)
  assert.equal(await write({ origin: 'http://todo.example' }), 201)
  for (const headers of FOREIGN) {
    assert.equal(await write(headers), 403, JSON.stringify(headers))
  }
  assert.equal((await client.delete(`${TODOS}/1`, { cookie })).statusCode, 403)
})

test('a bearer token counts before the cookie, from wherever it comes', async (t) => {
  const { browser: client, cookie, bob } = await browser(t)
  const headers = {
    cookie,
    origin: 'http://elsewhere.example',
    authorization: `Bearer ${bob.token}`,
  }
  const answer = await client.post(TODOS, { text: 'His' }, headers)
  assert.deepEqual([answer.statusCode, answer.json().owner_id], [201, bob.id])
  const bad = await client.get('/auth/me', { cookie, authorization: 'Bearer nonsense' })
  assert.equal(bad.statusCode, 401)
})

test('an ended session and one that ran out are nobody’s (401)', async (t) => {
  const ended = await browser(t)
  await sessions.remove(ended.db, ended.ann.id, ended.session.id)
  assert.equal((await ended.browser.get('/auth/me', { cookie: ended.cookie })).statusCode, 401)
  const past = await browser(t, -1)
  assert.equal((await past.browser.get('/auth/me', { cookie: past.cookie })).statusCode, 401)
})
