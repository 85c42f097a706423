import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Person, type World, world } from '../../test/world.ts'
import * as sessions from '../features/sessions/store.ts'
import { digest, randomSecret } from '../lib/secrets.ts'
import { fromNow } from '../lib/time.ts'

const TODOS = '/api/v1/todos'
const HOST = 'todo.example.org'
const JSON_BODY = { 'content-type': 'application/json', host: HOST }
const REFUSED = 'A request with a cookie may change something only from this site.'

/** Signs a browser in: the session and the secret in its cookie. */
async function browser({ db }: World, { id }: Person, lifetime = 60) {
  const secret = randomSecret()
  const cookie_digest = digest(secret)
  const expires_at = fromNow(lifetime)
  const session = await sessions.create(db, {
    user_id: id,
    expires_at,
    cookie_digest,
    user_agent: null,
    address: null,
  })
  return { secret, session, cookie: `session=${secret}` }
}

/** Posts a todo as a browser does that has these headers. */
const post = ({ nobody }: World, headers: Record<string, string>) =>
  nobody.send(TODOS, {
    method: 'POST',
    headers: { ...JSON_BODY, ...headers },
    body: JSON.stringify({ text: 'By cookie' }),
  })

test('the cookie of a session signs in to every part of the API', async (t) => {
  const here = await world(t)
  const { cookie } = await browser(here, here.ann)
  for (const url of ['/auth/me', '/api/v1/auth/me', `/api/v1/users/${here.ann.id}`]) {
    const answer = await here.nobody.get(url, { cookie })
    assert.equal(answer.statusCode, 200, url)
    assert.equal(answer.json().id, here.ann.id, url)
  }
  assert.equal((await here.nobody.get(TODOS, { cookie: `theme=dark; ${cookie}` })).statusCode, 200)
  assert.equal((await here.nobody.get(`/api/v1/users/${here.bob.id}`, { cookie })).statusCode, 404)
})

test('a cookie that belongs to no session is nobody (401)', async (t) => {
  const here = await world(t)
  const { secret } = await browser(here, here.ann)
  for (const value of ['', 'garbage', digest(secret), `${secret}x`, here.ann.token, 'null']) {
    const answer = await here.nobody.get('/auth/me', { cookie: `session=${value}` })
    assert.equal(answer.statusCode, 401, value)
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
  }
  const elsewhere = await here.nobody.get('/auth/me', { cookie: `Session=${secret}` })
  assert.equal(elsewhere.statusCode, 401)
})

test('what a page asks that was drawn for somebody else is not for who is signed in now (401)', async (t) => {
  const here = await world(t)
  const { cookie } = await browser(here, here.bob)
  const drawnFor = ({ id }: Person) => ({ cookie, 'x-page-user': String(id) })
  assert.equal((await here.nobody.get(TODOS, drawnFor(here.bob))).statusCode, 200)
  assert.equal((await here.nobody.get(TODOS, drawnFor(here.ann))).statusCode, 401)
  const origin = { 'sec-fetch-site': 'same-origin' }
  assert.equal((await post(here, { ...origin, ...drawnFor(here.ann) })).statusCode, 401)
  assert.deepEqual((await here.bob.get(TODOS)).json(), [])
  assert.equal((await post(here, { ...origin, ...drawnFor(here.bob) })).statusCode, 201)
})

test('a session that ended, or ran out, is nobody (401), for reading and for writing', async (t) => {
  const here = await world(t)
  const ended = await browser(here, here.ann)
  const old = await browser(here, here.ann)
  const other = await browser(here, here.ann)
  await sessions.remove(here.db, here.ann.id, ended.session.id)
  await here.db
    .updateTable('sessions')
    .set({ expires_at: fromNow(-1) })
    .where('id', '=', old.session.id)
    .where('user_id', '=', here.ann.id)
    .execute()
  for (const { cookie } of [ended, old]) {
    assert.equal((await here.nobody.get('/auth/me', { cookie })).statusCode, 401)
    assert.equal((await post(here, { cookie, 'sec-fetch-site': 'same-origin' })).statusCode, 401)
    assert.equal((await post(here, { cookie, 'sec-fetch-site': 'cross-site' })).statusCode, 401)
  }
  const { cookie } = other
  assert.equal((await here.nobody.get('/auth/me', { cookie })).statusCode, 200)
})

test('a request by cookie from our own page may write', async (t) => {
  const here = await world(t)
  const { cookie } = await browser(here, here.ann)
  const origins: Record<string, string>[] = [
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin', origin: `http://${HOST}` },
    { origin: `http://${HOST}` },
    { origin: `http://${HOST}:8000`, host: `${HOST}:8000` },
    { origin: `http://${HOST}`, host: `${HOST.toUpperCase()}:80` },
  ]
  for (const headers of origins) {
    const answer = await post(here, { cookie, ...headers })
    assert.equal(answer.statusCode, 201, JSON.stringify(headers))
    assert.equal(answer.json().owner_id, here.ann.id)
  }
})

test('a request by cookie from anywhere else may not write, whatever it would do (403)', async (t) => {
  const here = await world(t)
  const { cookie } = await browser(here, here.ann)
  const { id } = (await here.ann.post(TODOS, { text: 'Mine' })).json()
  const origins: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': '' },
    { 'sec-fetch-site': 'cross-site', origin: `http://${HOST}` },
    { origin: 'null' },
    { origin: '' },
    { origin: `https://${HOST}` },
    { origin: `http://${HOST}:8000` },
    { origin: `http://evil.${HOST}` },
    { origin: `http://${HOST}.example.com` },
    { origin: 'https://evil.example.com' },
    { referer: `http://${HOST}/home` },
    { origin: 'https://evil.example.com', 'x-forwarded-host': 'evil.example.com' },
  ]
  const requests = [
    ['POST', TODOS, { text: 'Planted' }],
    ['PUT', `${TODOS}/${id}`, { text: 'Planted' }],
    ['PATCH', `${TODOS}/${id}`, { text: 'Planted' }],
    ['DELETE', `${TODOS}/${id}`, undefined],
    ['PATCH', '/auth/me', { fname: 'Planted' }],
    ['DELETE', '/api/v1/auth/me', { password: 'any' }],
  ] as const
  for (const headers of origins) {
    for (const [method, url, body] of requests) {
      const answer = await here.nobody.send(url, {
        method,
        headers: { cookie, host: HOST, ...(body && JSON_BODY), ...headers },
        ...(body && { body: JSON.stringify(body) }),
      })
      assert.equal(answer.statusCode, 403, `${method} ${url} ${JSON.stringify(headers)}`)
      assert.equal(answer.json().detail, REFUSED)
    }
  }
  const left = (await here.ann.get(TODOS)).json()
  assert.deepEqual(
    left.map(({ text }: { text: string }) => text),
    ['Mine'],
  )
  assert.equal((await here.ann.get('/auth/me')).json().fname, 'ann')
})

test('reading by cookie is allowed from anywhere, as a link from elsewhere is', async (t) => {
  const here = await world(t)
  const { cookie } = await browser(here, here.ann)
  for (const site of ['cross-site', 'same-site', 'none']) {
    for (const method of ['GET', 'HEAD'] as const) {
      const headers = { cookie, 'sec-fetch-site': site, origin: 'https://evil.example.com' }
      const answer = await here.nobody.send(TODOS, { method, headers })
      assert.equal(answer.statusCode, 200, `${method} ${site}`)
      assert.ok(!('access-control-allow-origin' in answer.headers), 'and no script may see it')
    }
  }
})

test('the document names the cookie as the browser has it, over http and over https', async (t) => {
  const here = await world(t, { PROXY_HEADERS: '1' })
  const { session } = (await here.nobody.get('/openapi.json')).json().components.securitySchemes
  for (const [scheme, named] of [
    ['http', session.name],
    ['https', /Over https it is called `([^`]+)`/.exec(session.description)?.[1]],
  ]) {
    const { cookie } = await browser(here, here.ann)
    const headers = { cookie: cookie.replace(/^session/, named), 'x-forwarded-proto': scheme }
    assert.equal((await here.nobody.get('/auth/me', headers)).statusCode, 200, scheme)
  }
})

test('behind a proxy the forwarded scheme and host are our origin', async (t) => {
  const here = await world(t, { PROXY_HEADERS: '1' })
  const { cookie } = await browser(here, here.ann)
  const forwarded = {
    cookie: `__Host-${cookie}`,
    host: 'internal:8000',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': HOST,
  }
  const statusFrom = async (origin: string) =>
    (await post(here, { ...forwarded, origin })).statusCode
  assert.equal(await statusFrom(`https://${HOST}`), 201)
  assert.equal(await statusFrom(`http://${HOST}`), 403)
  assert.equal(await statusFrom('http://internal:8000'), 403)
})

test('a bearer token may write from a foreign origin, with a cookie beside it or not', async (t) => {
  const here = await world(t)
  const { cookie } = await browser(here, here.bob)
  const foreign = {
    authorization: `Bearer ${here.ann.token}`,
    origin: 'https://evil.example.com',
    'sec-fetch-site': 'cross-site',
  }
  for (const headers of [foreign, { ...foreign, cookie }]) {
    const answer = await post(here, headers)
    assert.equal(answer.statusCode, 201)
    assert.equal(answer.json().owner_id, here.ann.id, 'the token counts before the cookie')
  }
})

test('a bad bearer token is not made good by a cookie (401)', async (t) => {
  const here = await world(t)
  const { cookie } = await browser(here, here.ann)
  for (const authorization of ['Bearer garbage', 'Bearer', 'Basic Og==']) {
    const answer = await here.nobody.get('/auth/me', { cookie, authorization })
    assert.equal(answer.statusCode, 401, authorization)
  }
})

test('a new password signs the other browsers out, and not the one that set it', async (t) => {
  const here = await world(t)
  const mine = await browser(here, here.ann)
  const other = await browser(here, here.ann)
  const changed = await here.nobody.patch(
    '/auth/me',
    { password: 'clouds over the weir', current_password: 'rain on tin roofs' },
    { cookie: mine.cookie, 'sec-fetch-site': 'same-origin' },
  )
  assert.equal(changed.statusCode, 200)
  assert.equal((await here.nobody.get('/auth/me', { cookie: mine.cookie })).statusCode, 200)
  assert.equal((await here.nobody.get('/auth/me', { cookie: other.cookie })).statusCode, 401)
  assert.equal((await here.ann.get('/auth/me')).statusCode, 401)
})
