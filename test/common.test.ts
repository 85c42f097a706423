import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { documentOf } from './answers.ts'
import { clientOf, world } from './world.ts'

const TODOS = '/api/v1/todos'
const json = { 'content-type': 'application/json' }

test('malformed JSON is a 400, and so is none where some was announced', async (t) => {
  const { ann } = await world(t)
  for (const body of ['{"text":', '', 'null}', '{"__proto__":{"x":1},"text":"a"}']) {
    const answer = await ann.send(TODOS, { method: 'POST', headers: json, body })
    assert.equal(answer.statusCode, 400, body)
  }
})

test('a body that is not an object, or is missing, is a 422 that says so', async (t) => {
  const { ann } = await world(t)
  for (const body of ['[]', '"text"', '7', 'null', 'true']) {
    const answer = await ann.send(TODOS, { method: 'POST', headers: json, body })
    assert.equal(answer.statusCode, 422, body)
    assert.deepEqual(answer.json().errors[0].loc, ['body'], body)
  }
  assert.equal((await ann.send(TODOS, { method: 'POST' })).statusCode, 422)
})

test('a body of another media type is a 415 that names the right one', async (t) => {
  const { ann, nobody } = await world(t)
  const xml = await ann.send(TODOS, {
    method: 'POST',
    headers: { 'content-type': 'text/xml' },
    body: '<a/>',
  })
  assert.equal(xml.statusCode, 415)
  assert.equal(xml.headers.accept, 'application/json')
  const form = await ann.form(TODOS, { text: 'a' })
  assert.equal(form.statusCode, 415)
  const token = await nobody.post('/auth/token', { username: 'a', password: 'b' })
  assert.equal(token.statusCode, 415)
  const put = await ann.send(`${TODOS}/1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: '{"text":"a"}',
  })
  assert.equal(put.statusCode, 415)
})

test('text that is not UTF-8 is a 400, in JSON, in a form and in a query', async (t) => {
  const { ann, nobody } = await world(t)
  const latin1 = (text: string) => Buffer.from(text, 'latin1')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const token = (body: Buffer | string) =>
    nobody.send('/auth/token', { method: 'POST', headers: form, body })
  const answers = [
    await ann.send(TODOS, { method: 'POST', headers: json, body: latin1('{"text":"café"}') }),
    await token(latin1('username=a&password=üüüüüüüü')),
    await token('username=a&password=%FC%FC%FC%FC%FC%FC%FC%FC'),
    await ann.get(`${TODOS}?q=caf%E9`),
  ]
  for (const answer of answers) {
    assert.equal(answer.statusCode, 400)
    assert.match(answer.json().detail, /UTF-8/)
  }
  assert.equal((await ann.get(`${TODOS}?q=caf%C3%A9&q2=100%`)).statusCode, 422)
  assert.equal((await ann.get(`${TODOS}?q=100%`)).statusCode, 200)
})

test('a request without a body may name JSON, where no body is wanted', async (t) => {
  const { ann } = await world(t)
  const { id } = (await ann.post(TODOS, { text: 'a' })).json()
  assert.equal((await ann.delete(`${TODOS}/${id}`, json)).statusCode, 204)
  assert.equal((await ann.delete('/api/v1/nothing', json)).statusCode, 404)
})

test('a body over BODY_LIMIT is a 413', async (t) => {
  const { ann } = await world(t, { BODY_LIMIT: '2048' })
  assert.equal((await ann.post(TODOS, { text: 'a'.repeat(1500) })).statusCode, 201)
  const large = await ann.post(TODOS, { text: 'a'.repeat(2100) })
  assert.equal(large.statusCode, 413)
  assert.equal(large.headers['content-type'], 'application/problem+json')
})

test('an unknown path is a 404 with problem details for anyone', async (t) => {
  const { nobody, ann } = await world(t)
  for (const client of [nobody, ann]) {
    for (const url of [
      '/nowhere',
      '/api/v1',
      '/api/v1/todos/1/nothing',
      '/.env',
      '/docs/../package.json',
    ]) {
      const answer = await client.get(url)
      assert.equal(answer.statusCode, 404, url)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.equal(answer.json().type, 'about:blank')
      assert.equal(answer.json().title, 'Not Found')
      assert.equal(answer.json().request_id, answer.headers['x-request-id'])
    }
  }
})

test('a path that is not well-formed is a 400', async (t) => {
  const { nobody } = await world(t)
  const answer = await nobody.get('/api/v1/todos/%E0%A4%A')
  assert.equal(answer.statusCode, 400)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
})

test('an id that is no id is a 422 at its place', async (t) => {
  const { ann } = await world(t)
  for (const id of ['x', '0', '-1', '1.5', '9007199254740993', '1e30', '%00', 'null', '1%202']) {
    const answer = await ann.get(`${TODOS}/${id}`)
    assert.equal(answer.statusCode, 422, id)
    assert.deepEqual(answer.json().errors[0].loc, ['path', 'id'], id)
  }
})

test('a well-formed X-Request-Id is kept and any other replaced', async (t) => {
  const { nobody } = await world(t)
  const kept = await nobody.get('/health', { 'x-request-id': 'trace-1:a.b' })
  assert.equal(kept.headers['x-request-id'], 'trace-1:a.b')
  for (const forged of ['two words', 'a"b', 'x'.repeat(129), '']) {
    const answer = await nobody.get('/health', { 'x-request-id': forged })
    assert.match(String(answer.headers['x-request-id']), /^[0-9a-f-]{36}$/)
  }
})

test('however many ask at once whether it is ready, the database is asked once', async (t) => {
  const { nobody, queries } = await world(t)
  await nobody.get('/ready')
  const before = queries()
  await nobody.get('/ready')
  const once = queries() - before
  const answers = await Promise.all(Array.from({ length: 50 }, () => nobody.get('/ready')))
  assert.ok(answers.every(({ statusCode }) => statusCode === 200))
  assert.ok(queries() - before - once <= 2 * once, `${queries() - before} queries`)
})

test('every answer has the safe headers, and private ones are not stored', async (t) => {
  const { ann, nobody } = await world(t)
  for (const answer of [
    await ann.get(TODOS),
    await nobody.get(TODOS),
    await nobody.get('/nowhere'),
  ]) {
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/)
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.ok(!('x-powered-by' in answer.headers) && !('server' in answer.headers))
  }
})

test('a path answers with and without a trailing slash, without a redirect', async (t) => {
  const { ann, nobody } = await world(t)
  for (const url of [
    TODOS,
    '/api/v1/auth/me',
    '/auth/me',
    `/api/v1/users/${ann.id}`,
    '/openapi.json',
  ]) {
    assert.equal((await ann.get(url)).statusCode, 200, url)
    assert.equal((await ann.get(`${url}/`)).statusCode, 200, `${url}/`)
  }
  assert.equal((await nobody.get('/health/')).statusCode, 200)
})

test('the API moves with API_PREFIX', async (t) => {
  const { ann } = await world(t, { API_PREFIX: '/things/v9' })
  assert.equal((await ann.get('/things/v9/todos')).statusCode, 200)
  assert.equal((await ann.get('/things/v9/auth/me')).statusCode, 200)
  assert.equal((await ann.get(TODOS)).statusCode, 404)
  const made = await ann.post('/things/v9/todos', { text: 'a' })
  assert.equal(made.headers.location, `/things/v9/todos/${made.json().id}`)
})

test('API_PREFIX must not begin like a path of the service itself', async (t) => {
  const { app, config } = await world(t)
  const own = [...app.routeTable.keys()].filter((path) => !path.startsWith(config.apiPrefix))
  const beginnings = new Set([...own, '/metrics'].map((path) => path.split('/')[1] ?? ''))
  beginnings.delete('')
  assert.ok(beginnings.has('home') && beginnings.has('openapi.json'))
  for (const beginning of beginnings) {
    for (const prefix of [`/${beginning}`, `/${beginning}/api`]) {
      await assert.rejects(world(t, { API_PREFIX: prefix, DATABASE_URL: 'sqlite://' }), {
        name: 'ConfigurationError',
        message: `API_PREFIX: read "${prefix}", allowed: one that begins otherwise than the paths of the service itself, such as /api/v1`,
      })
    }
  }
})

test('CORS is closed unless an origin is named, and open to that one only', async (t) => {
  const origin = 'https://app.example.org'
  const closed = await world(t)
  assert.ok(!('access-control-allow-origin' in (await closed.ann.get(TODOS, { origin })).headers))
  const open = await world(t, { CORS_ORIGINS: `${origin}, https://other.example.org` })
  const allowed = await open.ann.get(TODOS, { origin })
  assert.equal(allowed.headers['access-control-allow-origin'], origin)
  const exposed = String(allowed.headers['access-control-expose-headers']).split(', ')
  const { paths } = (await open.nobody.get('/openapi.json')).json()
  for (const [, headers] of JSON.stringify(paths).matchAll(/"headers":\{(.*?)\},"content"/g)) {
    for (const [, name = ''] of String(headers).matchAll(/"([A-Z][\w-]+)":\{"/g)) {
      assert.ok(exposed.includes(name), name)
    }
  }
  assert.ok(!('access-control-allow-credentials' in allowed.headers))
  const preflight = await open.nobody.send(TODOS, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,if-match',
    },
  })
  assert.equal(preflight.statusCode, 204)
  assert.match(String(preflight.headers['access-control-allow-methods']), /PATCH/)
  const foreign = await open.ann.get(TODOS, { origin: 'https://evil.example.org' })
  assert.ok(!('access-control-allow-origin' in foreign.headers))
})

test('an OPTIONS that is no preflight is answered with CORS as without (405, 404)', async (t) => {
  const origin = 'https://app.example.org'
  const asks = { 'access-control-request-method': 'PATCH' }
  for (const { nobody } of [await world(t), await world(t, { CORS_ORIGINS: origin })]) {
    const ask = (url: string, headers: Record<string, string>) =>
      nobody.send(url, { method: 'OPTIONS', headers })
    const others: Record<string, string>[] = [{}, { origin }, asks]
    for (const headers of others) {
      const known = await ask(TODOS, headers)
      assert.deepEqual([known.statusCode, known.headers.allow], [405, 'GET, HEAD, POST'])
      for (const url of ['/nothing', `${TODOS}/1/2`, '/', '*']) {
        const answer = await ask(url, headers)
        assert.equal(answer.statusCode, url === '/' ? 405 : 404, url)
        assert.equal(answer.headers['content-type'], 'application/problem+json', url)
        assert.ok(answer.headers['x-request-id'], url)
      }
      assert.equal((await ask('/%zz', headers)).statusCode, 400)
    }
  }
})

test('a preflight is a 204 that says no length, also where nothing is', async (t) => {
  const origin = 'https://app.example.org'
  const { nobody } = await world(t, { CORS_ORIGINS: origin })
  const headers = { origin, 'access-control-request-method': 'PATCH' }
  for (const url of [TODOS, '/auth/me', '/nothing']) {
    const answer = await nobody.send(url, { method: 'OPTIONS', headers })
    assert.equal(answer.statusCode, 204, url)
    assert.equal(answer.headers['access-control-allow-origin'], origin)
    assert.match(String(answer.headers['access-control-allow-methods']), /PATCH/)
    assert.ok(!('content-length' in answer.headers), url)
  }
})

test('an answer says by what it differs, a failure too', async (t) => {
  const { ann, nobody } = await world(t, { CORS_ORIGINS: 'https://app.example.org' })
  const good = await ann.get(TODOS, { origin: 'https://app.example.org' })
  assert.equal(good.headers.vary, 'Origin')
  for (const url of [TODOS, `${TODOS}/999999`, '/nothing']) {
    assert.equal((await nobody.get(url)).headers.vary, 'Origin, Accept', url)
  }
  const closed = await world(t)
  assert.equal((await closed.nobody.get(TODOS)).headers.vary, 'Accept')
})

test('forwarded headers count from a trusted proxy only', async (t) => {
  const headers = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'todo.example.org',
  }
  const secure = async (variables: Record<string, string>, remoteAddress: string) => {
    const { app } = await world(t, variables)
    const answer = await clientOf(app).send('/health', { headers, remoteAddress })
    return 'strict-transport-security' in answer.headers
  }
  assert.equal(await secure({}, '127.0.0.1'), false)
  assert.equal(await secure({ PROXY_HEADERS: '1' }, '127.0.0.1'), true)
  assert.equal(await secure({ PROXY_HEADERS: '1' }, '198.51.100.7'), false)
  assert.equal(
    await secure({ PROXY_HEADERS: '1', FORWARDED_ALLOW_IPS: '198.51.100.0/24' }, '198.51.100.7'),
    true,
  )
  assert.equal(await secure({ PROXY_HEADERS: '1', FORWARDED_ALLOW_IPS: '*' }, '198.51.100.7'), true)
})

test('over https, browsers are told to use nothing else for a year, on subdomains too', async (t) => {
  const { nobody } = await world(t, { PROXY_HEADERS: '1' })
  const answer = await nobody.get('/login', { 'x-forwarded-proto': 'https' })
  const told = answer.headers['strict-transport-security']
  assert.equal(told, 'max-age=31536000; includeSubDomains')
})

test('what is not HTTP is answered with problem details and the connection closed', async (t) => {
  const { app } = await world(t)
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const say = async (bytes: string) => {
    const socket = connect(Number(url.port), url.hostname)
    await once(socket, 'connect')
    socket.write(bytes)
    return text(socket)
  }
  assert.match(
    await say('nonsense\r\n\r\n'),
    /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"status":400/,
  )
  const other = await say('FOO / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(other, /^HTTP\/1\.1 400 /)
  assert.match(
    other,
    /"detail":"The request does not begin with a method that this server knows\."/,
  )
  const overflow = await say(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)
  assert.match(overflow, /^HTTP\/1\.1 431 [\s\S]*"status":431/)
  const expecting = 'Host: a\r\nExpect: a pony\r\n\r\n'
  const unmet = await say(`GET http://evil.example/a%20b?c=d HTTP/1.1\r\n${expecting}`)
  assert.match(unmet, /^HTTP\/1\.1 417 [\s\S]*"instance":"\/a%20b"/)
  const { components } = await documentOf(app)
  const isProblem = new Ajv2020({ strict: false, validateFormats: false })
    .addSchema({ $id: 'document', components })
    .compile({ $ref: 'document#/components/schemas/Problem' })
  for (const answer of [other, overflow, unmet]) {
    const body = JSON.parse(/\{.*\}/.exec(answer)?.[0] ?? '')
    assert.ok(isProblem(body), JSON.stringify(isProblem.errors))
    assert.match(answer, /\r\nX-Content-Type-Options: nosniff\r\n/)
    assert.match(answer, /\r\nContent-Security-Policy: default-src 'none'\r\n/)
  }
})

test('the faults of every part of a request are told at once (422)', async (t) => {
  const { ann } = await world(t)
  const answer = await ann.put(
    `${TODOS}/x`,
    { text: '', extra: 1 },
    { 'if-match': 'a'.repeat(1001) },
  )
  assert.equal(answer.statusCode, 422)
  const places = answer.json().errors.map(({ loc }: { loc: string[] }) => loc.join('.'))
  assert.deepEqual(places.sort(), ['body.extra', 'body.text', 'header.if-match', 'path.id'])
})

test('a stopping server finishes the open request, then says that it is not ready (503), and closes', async (t) => {
  const { app } = await world(t)
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(url.port), url.hostname)
  await once(socket, 'connect')
  const received = text(socket)
  const head = `POST /auth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n`
  const body = 'username=ann%40example.com&password=wrong'
  socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`)
  await setTimeout(50)
  const closed = app.close()
  await setTimeout(50)
  socket.write(`${body.slice(5)}GET /ready HTTP/1.1\r\nHost: a\r\n\r\n`)
  const answers = await received
  assert.match(answers, /^HTTP\/1\.1 401 /)
  assert.match(answers, /HTTP\/1\.1 503 [\s\S]*retry-after: 5\r\n[\s\S]*"status":503/i)
  await closed
})
