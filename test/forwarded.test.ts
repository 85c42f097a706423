// What a trusted proxy says of a client (docs/operations.md, "Behind a proxy"), over a real connection.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PASSWORD, world } from './world.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** A service behind the proxies 127.0.0.1 and 198.51.100.7, and what signs Ann in at it. */
async function proxied(t: TestContext) {
  const here = await world(t, {
    PROXY_HEADERS: '1',
    FORWARDED_ALLOW_IPS: '127.0.0.1,198.51.100.7',
    SIGN_IN_FAILURES: '2',
  })
  const url = await here.app.listen({ host: '127.0.0.1', port: 0 })
  const signIn = (path: string, headers: Record<string, string>, password = PASSWORD) => {
    const body = new URLSearchParams({ username: 'ann@example.com', password })
    return fetch(url + path, {
      method: 'POST',
      headers: { ...FORM, ...headers },
      body,
      redirect: 'manual',
    })
  }
  return { ...here, signIn }
}

test('a client is known by its address, whatever else proxies write beside it', async (t) => {
  const { ann, signIn } = await proxied(t)
  for (const [header, address] of [
    ['203.0.113.6', '203.0.113.6'],
    ['203.0.113.6:40001', '203.0.113.6'],
    ['[2001:db8::6]:40001', '2001:db8::6'],
    ['[2001:db8::6]', '2001:db8::6'],
    ['2001:db8::6', '2001:db8::6'],
    ['203.0.113.6:1, 198.51.100.7:2', '203.0.113.6'],
    // What is behind an address that is none may be anybody's word.
    ['203.0.113.6, unknown', '127.0.0.1'],
    ['203.0.113.6, _hidden, 198.51.100.7', '198.51.100.7'],
    ['<script>', '127.0.0.1'],
    ['203.0.113.6:40001:2', '127.0.0.1'],
    ['', '127.0.0.1'],
  ] as const) {
    const answer = await signIn('/auth/token', { 'x-forwarded-for': header })
    assert.equal(answer.status, 200, header)
    const { sessions } = (await ann.get('/api/v1/auth/me/export')).json()
    assert.equal(sessions.at(-1).address, address, header)
  }
})

test('an address has so many failures, by whatever port it comes', async (t) => {
  const { signIn } = await proxied(t)
  const statuses: number[] = []
  for (const port of [40001, 40002, 40003]) {
    const from = { 'x-forwarded-for': `203.0.113.6:${port}` }
    statuses.push((await signIn('/auth/token', from, 'not the password')).status)
  }
  assert.deepEqual(statuses, [401, 401, 429])
})

test('a form is from this site, however proxies spell its scheme, name and port', async (t) => {
  const { signIn } = await proxied(t)
  for (const [scheme, host, origin] of [
    ['https', 'todo.example.org', 'https://todo.example.org'],
    ['HTTPS', 'Todo.Example.org', 'https://todo.example.org'],
    ['https', 'todo.example.org:443', 'https://todo.example.org'],
    ['http', 'todo.example.org:80', 'http://todo.example.org'],
  ] as const) {
    const headers = { 'x-forwarded-proto': scheme, 'x-forwarded-host': host, origin }
    const answer = await signIn('/login', headers)
    assert.equal(answer.status, 302, `${scheme} ${host}`)
    const isSecure = scheme.toLowerCase() === 'https'
    assert.equal(/; Secure/.test(String(answer.headers.get('set-cookie'))), isSecure)
    assert.equal(answer.headers.has('strict-transport-security'), isSecure)
  }
  for (const [scheme, host] of [
    ['http', 'todo.example.org:443'],
    ['https', 'todo.example.org:80'],
    ['nonsense', 'todo.example.org'],
  ] as const) {
    const headers = { 'x-forwarded-proto': scheme, 'x-forwarded-host': host }
    const answer = await signIn('/login', { ...headers, origin: 'https://todo.example.org' })
    assert.equal(answer.status, 403, `${scheme} ${host}`)
  }
})
