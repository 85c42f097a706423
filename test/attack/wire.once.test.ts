import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { say } from '../say.ts'
import { world } from '../world.ts'

const TODOS = '/api/v1/todos'
/** A service that listens, and a way to say any bytes to it and hear all that it answers. */
async function listening(t: TestContext, variables: Record<string, string> = {}) {
  const here = await world(t, variables)
  const url = await here.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...here, say: (bytes: string) => say(url, bytes) }
}

const statuses = (answers: string): number[] =>
  [...answers.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))

const lines = (...each: string[]): string => each.join('\r\n')
const SECOND = lines('GET /ready HTTP/1.1', 'Host: a', 'X-Request-Id: smuggled', '', '')

test('a request whose length can be read in two ways is refused, and nothing after it is read', async (t) => {
  const { say } = await listening(t)
  const start = [
    'POST /auth/revoke HTTP/1.1',
    'Host: a',
    'Content-Type: application/x-www-form-urlencoded',
  ]
  const chunk = lines('7', 'token=x', '0', '', '')
  const requests: Record<string, string> = {
    'a length and chunks': lines(
      ...start,
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      '',
      chunk,
    ),
    'chunks and a length': lines(
      ...start,
      'Transfer-Encoding: chunked',
      'Content-Length: 5',
      '',
      chunk,
    ),
    'two lengths': lines(...start, 'Content-Length: 7', 'Content-Length: 70', '', 'token=x'),
    'two equal lengths': lines(...start, 'Content-Length: 7', 'Content-Length: 7', '', 'token=x'),
    'a list of lengths': lines(...start, 'Content-Length: 7, 7', '', 'token=x'),
    'a negative length': lines(...start, 'Content-Length: -7', '', 'token=x'),
    'a length in hexadecimal': lines(...start, 'Content-Length: 0x7', '', 'token=x'),
    'a length with a blank before the colon': lines(...start, 'Content-Length : 7', '', 'token=x'),
    'a folded header': lines(...start, 'Content-Length:', ' 7', '', 'token=x'),
    'an unknown coding': lines(...start, 'Transfer-Encoding: xchunked', '', chunk),
    'chunked twice': lines(...start, 'Transfer-Encoding: chunked, chunked', '', chunk),
    'chunked not last': lines(...start, 'Transfer-Encoding: chunked, identity', '', chunk),
    'a coding that a blank hides': lines(...start, 'Transfer-Encoding : chunked', '', chunk),
    'a coding that a control hides': lines(...start, 'Transfer-Encoding: \x0bchunked', '', chunk),
    'a chunk size that is none': lines(
      ...start,
      'Transfer-Encoding: chunked',
      '',
      '7z',
      'token=x',
      '0',
      '',
      '',
    ),
    'a chunk that is longer than it says': lines(
      ...start,
      'Transfer-Encoding: chunked',
      '',
      '3',
      'token=x',
      '0',
      '',
      '',
    ),
    'bare line feeds': `${[...start, 'Transfer-Encoding: chunked', 'X: y'].join('\n')}\n\n${chunk}`,
    'a NUL in a header': lines(...start, 'X: a\0b', 'Content-Length: 7', '', 'token=x'),
    'no such version': lines(
      'POST /auth/revoke HTTP/9.9',
      ...start.slice(1),
      'Content-Length: 7',
      '',
      'token=x',
    ),
  }
  for (const [what, request] of Object.entries(requests)) {
    const answers = await say(`${request}${SECOND}`)
    assert.doesNotMatch(answers, /smuggled/, what)
    assert.ok(
      statuses(answers).every((status) => status >= 400 && status < 500),
      `${what}: ${answers}`,
    )
  }
  const [first, second] = statuses(
    await say(lines(...start, 'Content-Length: 7', '', `token=x${SECOND}`)),
  )
  assert.deepEqual(
    [first, second],
    [200, 200],
    'without a trick the second is a request of its own',
  )
})

test('a body that no one asked for is not taken for the next request', async (t) => {
  const { say } = await listening(t)
  const hidden = `GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: ${SECOND.length}\r\n\r\n${SECOND}`
  assert.deepEqual(statuses(await say(hidden)), [200])
  const unknown = `POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: ${SECOND.length}\r\n\r\n${SECOND}`
  assert.doesNotMatch(await say(unknown), /smuggled/)
})

test('methods and protocols that are not served are refused', async (t) => {
  const { say } = await listening(t)
  for (const start of [
    'TRACE / HTTP/1.1',
    'CONNECT a:443 HTTP/1.1',
    'PROPFIND / HTTP/1.1',
    'FOO / HTTP/1.1',
  ]) {
    const answers = await say(lines(start, 'Host: a', 'X-Secret: 1', '', ''))
    assert.ok(
      statuses(answers).every((status) => status >= 400 && status < 500),
      start,
    )
    assert.doesNotMatch(answers, /X-Secret/i)
  }
  const upgrade = lines(
    'GET /health HTTP/1.1',
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: h2c',
    '',
    '',
  )
  assert.deepEqual(statuses(await say(upgrade)), [200])
})

test('nothing that a request says becomes a header of the answer', async (t) => {
  const { say, ann } = await listening(t)
  const auth = `Authorization: Bearer ${ann.token}`
  const injection = '%0d%0aSet-Cookie:%20a=b'
  for (const target of [
    `${TODOS}?q=${injection}`,
    `${TODOS}?q=>;%20rel="next",<http://evil.example>`,
    `${TODOS}#>;rel="next",<http://evil.example>`,
    `/login?next=${injection}`,
    `/nowhere${injection}`,
    `/home?q=${injection}`,
    `/${injection}`,
  ]) {
    const answers = await say(lines(`GET ${target} HTTP/1.1`, 'Host: a', auth, '', ''))
    const [head = ''] = answers.split('\r\n\r\n', 1)
    assert.doesNotMatch(head, /^set-cookie: a=b/im, target)
    assert.doesNotMatch(head, /<http:\/\/evil/i, target)
  }
  const body = '{"text":"A"}'
  const made = await say(
    lines(
      `POST ${TODOS}#//evil.example HTTP/1.1`,
      'Host: a',
      auth,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      '',
      body,
    ),
  )
  assert.doesNotMatch(made, /location: .*evil/i)
})

test('the Host header changes nothing that is answered', async (t) => {
  const { say, ann } = await listening(t)
  const hosts = [
    'evil.example',
    'evil.example:80',
    'a"><script>',
    "a' or 1=1",
    '127.0.0.1:1@evil.example',
  ]
  for (const host of hosts) {
    for (const target of ['/', '/login', TODOS, '/openapi.json', '/docs', '/nowhere', '/home']) {
      for (const accept of ['text/html', 'application/json']) {
        const answers = await say(
          lines(
            `GET ${target} HTTP/1.1`,
            `Host: ${host}`,
            'X-Forwarded-Host: evil.example',
            'Forwarded: host=evil.example',
            `Accept: ${accept}`,
            `Authorization: Bearer ${ann.token}`,
            '',
            '',
          ),
        )
        assert.doesNotMatch(answers, /evil\.example|<script>"/, `${host} ${target}`)
      }
    }
  }
})

test('a compressed body is refused, not unpacked (415)', async (t) => {
  const { ann } = await world(t)
  for (const coding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'GZIP']) {
    const answer = await ann.post(TODOS, { text: 'A' }, { 'content-encoding': coding })
    assert.equal(answer.statusCode, 415, coding)
    assert.equal(answer.headers['accept-encoding'], 'identity')
  }
  assert.equal(
    (await ann.post(TODOS, { text: 'A' }, { 'content-encoding': 'identity' })).statusCode,
    201,
  )
})

test('whatever bytes come, the server answers HTTP or nothing, and serves on', async (t) => {
  const { say } = await listening(t)
  const pieces = fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /auth/token HTTP/1.1\r\n',
    'Host: a\r\n',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Type: application/json\r\n',
    'Expect: 100-continue\r\n',
    'Connection: close\r\n',
    '\r\n',
    '\n',
    '0\r\n\r\n',
    '{}',
    'a=b',
    '\0',
    '\xff',
    '%',
  )
  const bytes = fc.oneof(
    fc.array(pieces, { maxLength: 12 }).map((each) => each.join('')),
    fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each).toString('latin1')),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (each) => {
      const answers = await say(each)
      assert.match(answers, /^(HTTP\/1\.1 [1-4]\d\d |$)/)
      assert.ok(
        statuses(answers).every((status) => status < 500),
        answers,
      )
    }),
    { numRuns: 300 },
  )
  assert.deepEqual(statuses(await say(SECOND)), [200])
})

test('a method that no path takes is refused like any other where there is something (405, 404)', async (t) => {
  const { say } = await listening(t)
  for (const method of ['TRACE', 'PROPFIND', 'M-SEARCH']) {
    for (const [path, allow] of [
      ['/api/v1/todos', 'GET, HEAD, POST'],
      ['/api/v1/todos/?limit=1', 'GET, HEAD, POST'],
      ['/api/v1/todos/1', 'DELETE, GET, HEAD, PATCH, PUT'],
      ['/api/v1/users/signup', 'POST'],
      ['/home/todos/1/complete', 'POST'],
      ['/', 'GET, HEAD'],
    ]) {
      const answer = await say(lines(`${method} ${path} HTTP/1.1`, 'Host: a', '', ''))
      assert.deepEqual(statuses(answer), [405], `${method} ${path}`)
      assert.match(answer, new RegExp(`\\r\\nallow: ${allow}\\r\\n`, 'i'))
      assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/i)
    }
    for (const path of ['/nothing', '/api/v1/todos/1/2', '/api/v1/todos//']) {
      const answer = await say(lines(`${method} ${path} HTTP/1.1`, 'Host: a', '', ''))
      assert.deepEqual(statuses(answer), [404], `${method} ${path}`)
    }
  }
})

test('what a request may not expect is a problem with the id of the request (417)', async (t) => {
  const { say } = await listening(t)
  const head = ['POST /auth/revoke HTTP/1.1', 'Host: a', 'X-Request-Id: mine', 'Content-Length: 7']
  const answer = await say(lines(...head, 'Expect: a pony', '', ''))
  assert.deepEqual(statuses(answer), [417])
  assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/i)
  assert.match(answer, /\r\nx-request-id: mine\r\n/i)
  assert.match(answer, /"request_id":"mine"/)
  assert.deepEqual(statuses(await say(SECOND)), [200], 'the service goes on')
})
