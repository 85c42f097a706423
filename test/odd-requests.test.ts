// What no browser sends and few clients do, and what each is told.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { link } from './list-pages.ts'
import { clientOf, world } from './world.ts'

const TODOS = '/api/v1/todos'
const JSON_TYPE = { 'content-type': 'application/json' }

/** Gives what is answered to these bytes, which must end the connection. */
async function spoken(t: TestContext, bytes: (token: string) => string): Promise<string> {
  const { app, ann } = await world(t)
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(url.port), url.hostname)
  await once(socket, 'connect')
  socket.write(bytes(ann.token))
  return text(socket)
}

test('a request without a Host is a 400 with problem details', async (t) => {
  const answer = await spoken(t, () => 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.match(answer, /\r\nx-request-id: \S/i)
  assert.match(answer, /"detail":"The request has no Host\."/)
  const old = await spoken(t, () => 'GET /health HTTP/1.0\r\n\r\n')
  assert.match(old, /^HTTP\/1\.1 200 /)
})

test('a request with two Hosts is a 400, whichever comes first', async (t) => {
  for (const hosts of ['Host: a\r\nhost: b', 'HOST: a\r\nX: host\r\nHost: a']) {
    const answer = await spoken(
      t,
      () => `GET /health HTTP/1.1\r\n${hosts}\r\nConnection: close\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.match(answer, /"detail":"The request has more than one Host\."/)
  }
  const named = 'GET /health HTTP/1.1\r\nHost: a\r\nX: Host\r\nConnection: close\r\n\r\n'
  assert.match(await spoken(t, () => named), /^HTTP\/1\.1 200 /)
})

test('a Host that names no host is a 400, whatever else names one is not (RFC 9112 §3.2)', async (t) => {
  const { nobody } = await world(t)
  for (const host of [
    'a b',
    'x/y',
    'u@x',
    'x:y',
    '<>',
    '[',
    '[::1',
    '::1',
    '[]',
    'a%2',
    'a?',
    '\u00e4',
  ]) {
    const answer = await nobody.get('/health', { host })
    assert.equal(answer.statusCode, 400, host)
    assert.equal(answer.json().detail, 'The Host is not well-formed.', host)
    assert.ok(answer.headers['x-request-id'])
  }
  for (const host of [
    'a',
    'a:80',
    'A.example.',
    'a_b.example:8000',
    'xn--4ca.example',
    '127.0.0.1:1',
    '[::1]',
    '[2001:db8::1]:8000',
    '[::ffff:127.0.0.1]',
    'a:',
    'a%20b',
    '',
  ]) {
    assert.equal((await nobody.get('/health', { host })).statusCode, 200, host)
  }
})

test('a URL in full is answered as its path, whose origin no answer repeats', async (t) => {
  const whole = 'http://evil.example/api/v1/todos?limit=1'
  const rest = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'
  const list = await spoken(
    t,
    (token) => `GET ${whole} ${rest}Authorization: Bearer ${token}\r\n\r\n`,
  )
  assert.match(list, /^HTTP\/1\.1 200 /)
  assert.match(list, /\r\nlink: <\/api\/v1\/todos\?limit=1>/i)
  for (const url of [
    'http://evil.example',
    'http://evil.example/nothing',
    'http://evil.example/home',
  ]) {
    const answer = await spoken(t, () => `GET ${url} ${rest}\r\n`)
    assert.match(answer, /^HTTP\/1\.1 (200|302|404) /)
    assert.doesNotMatch(answer, /evil/, url)
  }
})

test('a path of the API tells of failures in problem details, whatever the client prefers', async (t) => {
  const { nobody } = await world(t)
  const headers = { accept: 'text/html' }
  for (const [method, url, status] of [
    ['PUT', TODOS, 405],
    ['GET', '/api/v1/todoss', 404],
    ['POST', '/auth/tokens', 404],
    ['GET', '/api/v1/%ff', 400],
  ] as const) {
    const answer = await nobody.send(url, { method, headers })
    assert.equal(answer.statusCode, status, url)
    assert.equal(answer.headers['content-type'], 'application/problem+json', url)
  }
  assert.match(String((await nobody.get('/nothing', headers)).headers['content-type']), /html/)
})

test('a QUERY is a method that no path takes (405), with a media type and without', async (t) => {
  const { app } = await world(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const headers of [{}, JSON_TYPE]) {
    const answer = await fetch(`${url}${TODOS}`, { method: 'QUERY', headers })
    assert.equal(answer.status, 405)
    assert.match(String(answer.headers.get('allow')), /GET/)
  }
})

test('an unknown path or method is refused before its body is read, with what any answer carries', async (t) => {
  const origin = 'https://app.example.org'
  const { app, ann } = await world(t, { CORS_ORIGINS: origin })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const heads = [
    ['PUT', TODOS, 405],
    ['PUT', '/health', 405],
    ['PROPFIND', TODOS, 405],
    ['QUERY', TODOS, 405],
    ['POST', '/nope', 404],
    ['POST', '/assets/nope', 404],
    ['DELETE', `${TODOS}/1/2`, 404],
    ['POST', '/%zz', 400],
  ] as const
  for (const type of ['application/json', 'application/xml', 'nonsense']) {
    for (const [method, path, status] of heads) {
      // The body that is announced never comes; one who waited for it would not answer.
      const socket = connect(Number(url.port), url.hostname)
      const said = [
        `Host: a`,
        `Origin: ${origin}`,
        `Content-Type: ${type}`,
        'Content-Length: 900000',
      ]
      socket.write(`${[`${method} ${path} HTTP/1.1`, ...said].join('\r\n')}\r\n\r\n`)
      const [bytes] = await once(socket, 'data')
      socket.destroy()
      const answer = String(bytes)
      const what = `${method} ${path} ${type}: ${answer}`
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what)
      assert.equal(/\r\nallow: .*GET/i.test(answer), status === 405, what)
      assert.match(answer, /\r\nx-request-id: \S/i, what)
      assert.match(answer, /\r\nx-content-type-options: nosniff/i, what)
      assert.match(answer, /\r\naccess-control-allow-origin: https:/i, what)
    }
  }
  const wholes = ['{bad', 'x'.repeat(20_000)]
  for (const body of wholes) {
    const answer = await ann.send(TODOS, { method: 'PUT', headers: JSON_TYPE, body })
    assert.deepEqual([answer.statusCode, answer.headers.allow], [405, 'GET, HEAD, POST'])
    const missing = await ann.send('/nope', { method: 'POST', headers: JSON_TYPE, body })
    assert.equal(missing.statusCode, 404)
  }
})

test('a body that does not say what it is, is a 415 that names what it should be', async (t) => {
  const { app, ann } = await world(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const body = new TextEncoder().encode('{"text":"a"}')
  const authorization = `Bearer ${ann.token}`
  const answer = await fetch(`${url}${TODOS}`, { method: 'POST', headers: { authorization }, body })
  assert.equal(answer.status, 415)
  assert.equal(answer.headers.get('accept'), 'application/json')
})

test('what is given several times where one is meant is a 422 that says so', async (t) => {
  const { ann, nobody } = await world(t)
  for (const [answer, loc] of [
    [await ann.get(`${TODOS}?limit=1&limit=2`), ['query', 'limit']],
    [await ann.get(`${TODOS}?q=a&q=b`), ['query', 'q']],
    [
      await nobody.send('/auth/token', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'username=a&username=b&password=c',
      }),
      ['body', 'username'],
    ],
  ] as const) {
    assert.equal(answer.statusCode, 422)
    const [fault, ...others] = answer.json().errors
    assert.deepEqual(fault, { loc, msg: 'must be given only once', type: 'repeated' })
    assert.deepEqual(others, [])
  }
})

test('a percent sign that begins no escape is itself, for the search as for its links', async (t) => {
  const { ann } = await world(t)
  await ann.post(TODOS, { text: '50% off Müller' })
  const answer = await ann.get(`${TODOS}?q=50%%20off%20M%C3%BCller&limit=1`)
  assert.equal(answer.headers['x-total-count'], '1')
  assert.equal((await ann.get(link(answer, 'first') ?? '')).headers['x-total-count'], '1')
})

test('a name of half a character is told as something that every client can read', async (t) => {
  const { ann } = await world(t)
  const answer = await ann.send(TODOS, {
    method: 'POST',
    headers: JSON_TYPE,
    body: '{"text":"a","\\ud800":1}',
  })
  assert.equal(answer.statusCode, 422)
  assert.ok(answer.json().errors[0].loc[1].isWellFormed())
})

test('members that JavaScript would take for its own are refused with their names (400)', async (t) => {
  const { ann } = await world(t)
  for (const body of [
    '{"text":"a","__proto__":1}',
    '{"text":"a","constructor":{"prototype":{}}}',
  ]) {
    const answer = await ann.send(TODOS, { method: 'POST', headers: JSON_TYPE, body })
    assert.equal(answer.statusCode, 400)
    assert.match(answer.json().detail, /__proto__ or constructor\.prototype/)
  }
})

test('a body of very many fields is one fault, not one for each', async (t) => {
  const { ann } = await world(t)
  const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`f${index}`, 1]))
  const answer = await ann.post(TODOS, { text: 'a', ...fields })
  assert.equal(answer.statusCode, 422)
  assert.deepEqual(answer.json().errors, [
    { loc: ['body'], msg: 'must have at most 100 fields', type: 'too_many_fields' },
  ])
})

test('however many separators are between them, no field of a query or a form is lost', async (t) => {
  const { ann, nobody } = await world(t)
  await ann.post(TODOS, { text: 'Open' })
  const many = '&'.repeat(200)
  assert.deepEqual((await ann.get(`${TODOS}?${many}completed=true${many}limit=1`)).json(), [])
  const answer = await nobody.send('/auth/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `${many}username=ann%40example.com${many}password=rain+on+tin+roofs`,
  })
  assert.equal(answer.statusCode, 200)
})

test('a form of very many repeated fields is told by few faults', async (t) => {
  const { nobody } = await world(t)
  const answer = await nobody.send('/auth/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Array.from({ length: 2000 }, (_, index) => `f${index}&f${index}`)
      .join('&')
      .slice(0, 16_000),
  })
  assert.equal(answer.statusCode, 422)
  const { errors } = answer.json()
  assert.equal(errors[0].type, 'repeated')
  assert.ok(errors.length <= 50, `${errors.length} faults`)
})

test('where If-None-Match names more tags than are looked at, nothing is written (412)', async (t) => {
  const { ann } = await world(t)
  const { location, etag } = (await ann.post(TODOS, { text: 'a' })).headers
  const others = Array.from({ length: 50 }, (_, index) => `"${index + 2}.1"`)
  const headers = { 'if-none-match': [...others, etag].join(', ') }
  assert.equal((await ann.patch(String(location), { text: 'b' }, headers)).statusCode, 412)
  assert.equal((await ann.get(String(location))).json().text, 'a')
})

test('what leads a browser to the pages and others to a greeting says that it does', async (t) => {
  const { app } = await world(t)
  const nobody = clientOf(app)
  for (const accept of ['text/html', 'application/json']) {
    assert.match(String((await nobody.get('/', { accept })).headers.vary), /Accept/)
  }
})
