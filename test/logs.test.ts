import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { withDatabase } from './command.ts'
import { say } from './say.ts'
import { type Server, startServer, until } from './server.ts'
import { freshDatabase, isPostgresql, PASSWORD } from './world.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

/** The line of the log for the request with this id, once it is written. */
async function lineOf(server: Server, id: string): Promise<Record<string, unknown>> {
  const find = () => server.logged('request_id').find(({ request_id }) => request_id === id)
  await until(() => find() !== undefined, server.output)
  return find() ?? {}
}

test('a request is logged under its id, its worker, and the trace that it came with', async (t) => {
  const server = await startServer(t, { WEB_CONCURRENCY: '2' })
  const ask = (id: string, traceparent: string) =>
    fetch(`${server.url}/health`, { headers: { 'x-request-id': id, traceparent } })

  assert.equal((await ask('good', `00-${TRACE}-${SPAN}-01`)).headers.get('x-request-id'), 'good')
  const line = await lineOf(server, 'good')
  assert.deepEqual([line.trace_id, line.parent_id], [TRACE, SPAN])
  assert.equal(typeof line.worker, 'number')

  // A later version may say more; what is not valid is left out (W3C Trace Context §3.2, §4.3).
  await ask('later', `01-${TRACE}-${SPAN}-01-more`)
  assert.equal((await lineOf(server, 'later')).trace_id, TRACE)
  const invalid = [
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    'nonsense',
  ]
  for (const [index, traceparent] of invalid.entries()) {
    await ask(`bad-${index}`, traceparent)
    assert.equal((await lineOf(server, `bad-${index}`)).trace_id, undefined, traceparent)
  }
})

test('a path that cannot be read is logged and counted as it came', async (t) => {
  const server = await startServer(t, { PROXY_HEADERS: '1', METRICS: '1' })
  const headers = { 'x-request-id': 'unreadable', 'x-forwarded-for': '192.0.2.7' }
  assert.equal((await fetch(`${server.url}/%zz?q=private`, { headers })).status, 400)
  const { req, res } = await lineOf(server, 'unreadable')
  assert.deepEqual(req, { method: 'GET', path: '/%zz', ip: '192.0.2.7' })
  assert.deepEqual(res, { status: 400 })
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(metrics, /_count\{method="GET",route="unknown",status="400"\} 1/)
})

test('what is not even HTTP is logged under its id, with nothing of what the client wrote', async (t) => {
  const server = await startServer(t)
  const head = 'GET /private HTTP/1.1\r\nHost: a\r\n'
  for (const [bytes, status] of [
    ['private nonsense\r\n\r\n', 400],
    [`${head}X: ${'private'.repeat(5000)}\r\n\r\n`, 431],
    [`${head}private\r\n\r\n`, 400],
  ] as const) {
    const [, id = ''] = /\r\nX-Request-Id: (\S+)/.exec(await say(server.url, bytes)) ?? []
    const line = await lineOf(server, id)
    assert.deepEqual([line.res, line.level], [{ status }, 30])
  }
  assert.ok(!server.output().includes('private'))
  await say(
    server.url,
    'GET /health?q=private HTTP/1.1\r\nHost: a\r\nX-Request-Id: pony\r\nExpect: a pony\r\n\r\n',
  )
  const { req, res } = await lineOf(server, 'pony')
  assert.deepEqual(req, { method: 'GET', path: '/health', ip: '127.0.0.1' })
  assert.deepEqual(res, { status: 417 })
})

test('a database connection that was lost is logged by its reason and code, and no more', {
  skip: !isPostgresql && 'an embedded file has no connection to lose',
}, async (t) => {
  const { url, drop } = await freshDatabase()
  const server = await startServer(t, { DATABASE_URL: url, WEB_CONCURRENCY: '1' })
  t.after(drop)
  const lost = () => server.logged('level').filter(({ msg }) => /lost an idle/.test(String(msg)))
  // The service may be at work on the one that is ended, which is no idle one then.
  await until(async () => {
    await fetch(`${server.url}/ready`)
    await withDatabase(url, (db) =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`.execute(db),
    )
    return lost().length > 0
  }, server.output)
  const [line = {}] = lost()
  const keys = ['code', 'hostname', 'level', 'msg', 'pid', 'reason', 'time']
  assert.deepEqual(Object.keys(line).toSorted(), keys)
  assert.equal(line.code, '57P01')
  assert.match(String(line.reason), /terminating connection/)
})

test('no password, token, cookie, key, person or text is in any log, however much is logged', async (t) => {
  const key = 'k3y that signs the access tokens of this test'
  const server = await startServer(t, { LOG_LEVEL: 'trace', SECRET_KEY: key })
  const secrets = [PASSWORD, 'other rain on tin roofs', key]
  secrets.push('ann@example.com', 'Archer', 'private', 'sought', 'biscuit')
  const cookies: string[] = []
  const send = async (path: string, options: RequestInit = {}) => {
    const answer = await fetch(`${server.url}${path}`, { redirect: 'manual', ...options })
    for (const cookie of answer.headers.getSetCookie()) {
      const value = cookie.split(';', 1)[0]?.split('=')[1] ?? ''
      if (value.length > 20) cookies.push(value)
    }
    return answer.text()
  }
  const form = (path: string, fields: Record<string, string>) =>
    send(path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { 'sec-fetch-site': 'same-origin' },
    })
  const json = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  const ann = { email: 'ann@example.com', password: PASSWORD, fname: 'Ann', lname: 'Archer' }
  await json('/api/v1/users/signup', ann)
  // Refused for another reason, taken, and malformed.
  await json('/api/v1/users/signup', { ...ann, email: 'no address' })
  await json('/api/v1/users/signup', ann)
  await send('/api/v1/users/signup', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"password": "${PASSWORD}", `,
  })
  const username = ann.email
  const tokens = JSON.parse(await form('/auth/token', { username, password: PASSWORD }))
  secrets.push(tokens.access_token, tokens.refresh_token)
  await form('/auth/token', { username, password: 'other rain on tin roofs' })
  // Where such things do not belong, and still may come by.
  await send(
    `/api/v1/todos?access_token=${tokens.access_token}&password=${encodeURIComponent(PASSWORD)}`,
  )
  const authorization = `Bearer ${tokens.access_token}`
  await send('/api/v1/todos', { headers: { authorization } })
  await send('/api/v1/todos?q=sought', { headers: { authorization, cookie: 'session=biscuit' } })
  await json('/api/v1/todos', { text: 'private matter' }, { authorization })
  await send('/api/v1/todos', {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: '{"text":"private',
  })
  await send('/api/v1/todos', { headers: { authorization: `Bearer ${tokens.refresh_token}` } })
  await form('/login', { username, password: PASSWORD })
  const again = JSON.parse(
    await form('/auth/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
  )
  secrets.push(again.access_token, again.refresh_token)
  await form('/auth/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
  await form('/auth/revoke', { token: again.refresh_token })

  await until(() => server.logged('res').length >= 16, server.output)
  assert.ok(server.output().includes('"path":"/api/v1/todos"'))
  assert.ok(cookies.length > 0)
  for (const secret of [...secrets, ...cookies]) {
    for (const written of [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ secret }).toString().slice(7),
    ]) {
      assert.ok(!server.output().includes(written), `${written} is in the log`)
    }
  }
})
