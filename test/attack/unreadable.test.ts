import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD, world } from '../world.ts'

/** What PostgreSQL cannot store, and what nobody means. */
const UNSTORABLE = ['a\u0000b@example.com', '\u0000', 'x\u0001\u0000']

test('NUL in any field of any page is a fault of the request, never of the server', async (t) => {
  const { ann } = await world(t)
  await ann.post('/api/v1/todos', { text: 'There' })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const text of UNSTORABLE) {
    const forms: ReadonlyArray<readonly [string, Record<string, string>]> = [
      ['/login', { username: text, password: PASSWORD }],
      ['/login', { username: ann.email, password: text }],
      ['/signup', { email: text, password: PASSWORD, fname: 'A', lname: 'B' }],
      ['/signup', { email: 'n@example.com', password: PASSWORD, fname: text, lname: text }],
      ['/home/todos', { text }],
      ['/home/todos/1', { text, tag: text }],
      ['/account/names', { fname: text, lname: text }],
      ['/account/email', { email: text, current_password: text }],
      ['/account/password', { password: text, current_password: text }],
      ['/account/delete', { password: text }],
      ['/auth/token', { username: text, password: text }],
      ['/auth/token', { grant_type: 'refresh_token', refresh_token: text }],
    ]
    for (const [url, fields] of forms) {
      const body = new URLSearchParams(fields).toString()
      const answer = await ann.send(url, { method: 'POST', headers, body })
      assert.equal(answer.statusCode, 422, `${url} ${body}`)
    }
    const query = encodeURIComponent(text)
    for (const url of [`/home?q=${query}`, `/home?edit=${query}&page=${query}&show=${query}`]) {
      assert.ok((await ann.get(url)).statusCode < 500, url)
    }
    const revoked = await ann.form('/auth/revoke', { token: text })
    assert.equal(revoked.statusCode, 200)
    const cookie = `session=${query}; device=${query}; theme=${query}; flash=${query}`
    assert.ok((await ann.get('/login', { cookie })).statusCode < 500)
  }
})

test('the API tells of a path that cannot be read as of anything else, whatever is preferred', async (t) => {
  const { ann } = await world(t)
  const answer = await ann.get('/api/v1/todos/%E0%A4%A', { accept: 'text/html' })
  assert.equal(answer.statusCode, 400)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  const page = await ann.get(`/nowhere/%E0%A4%A`, { accept: 'text/html' })
  assert.match(String(page.headers['content-type']), /^text\/html/)
})

test('a long part of a path is looked at as a short one: who asks, then what for (401, 422)', async (t) => {
  const { ann, nobody } = await world(t)
  for (const length of [20, 150, 10_000]) {
    const path = `/api/v1/todos/${'1'.repeat(length)}`
    assert.equal((await nobody.get(path)).statusCode, 401)
    const answer = await ann.get(path)
    assert.equal(answer.statusCode, 422)
    assert.deepEqual(answer.json().errors[0].loc, ['path', 'id'])
    assert.equal(answer.headers['cache-control'], 'no-store')
  }
})

test('a path that cannot be read is answered with the headers of every answer (400)', async (t) => {
  const { app } = await world(t, { PROXY_HEADERS: '1' })
  for (const accept of ['text/html', 'application/json']) {
    const ask = (url: string) =>
      app.inject({
        url,
        headers: { accept, 'x-request-id': 'asked', 'x-forwarded-proto': 'https' },
      })
    const nothing = await ask('/nothing')
    for (const url of ['/%zz', '/home/todos/%E0%A4%A/delete', '/assets/%']) {
      const answer = await ask(url)
      assert.equal(answer.statusCode, 400, url)
      const given = { ...answer.headers, 'content-length': nothing.headers['content-length'] }
      assert.deepEqual({ ...given, date: nothing.headers.date }, nothing.headers, url)
    }
  }
})
