import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { freePort } from './free-port.ts'
import { link } from './list-pages.ts'
import { load } from './load.ts'
import { type Server, startServer, until } from './server.ts'
import { ask, elsewhere, lacks, proxies, startProxy } from './tls-proxies.ts'
import { PASSWORD } from './world.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const JSON_BODY = { 'content-type': 'application/json' }
const TODOS = '/api/v1/todos'
// An address that is no proxy's.
const CLIENT = '127.0.0.2'

/** The address that the log has for the request with this id. */
async function addressOf(server: Server, id: string): Promise<unknown> {
  const find = () => server.logged('req').find(({ request_id }) => request_id === id)
  await until(() => find() !== undefined, server.output)
  const req: unknown = find()?.req
  return typeof req === 'object' && req !== null && 'ip' in req ? req.ip : undefined
}

const signUp = (url: string, origin: string) =>
  ask(`${url}/signup`, {
    method: 'POST',
    headers: { ...FORM, origin },
    body: new URLSearchParams({
      ...{ email: 'ann@example.com', password: PASSWORD, fname: 'Ann', lname: 'Archer' },
    }).toString(),
  })

const cookiesOf = (setCookie: readonly string[] = []): string =>
  setCookie.map((each) => each.split(';', 1)[0]).join('; ')

/** As many bytes as no buffer on the way takes. */
const LARGE = 1e8

/** Sends a body in chunks until it is answered, and gives what was answered, and when. */
async function pour(url: string) {
  const sent = request(url, {
    ...{ method: 'POST', agent: false, family: 4, rejectUnauthorized: false },
    headers: { ...FORM, 'transfer-encoding': 'chunked' },
  })
  let bytes = 0
  const body = Readable.from(
    (function* () {
      for (; bytes < LARGE; bytes += 1e5) yield 'x'.repeat(1e5)
    })(),
  )
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  sent.on('response', resolve).on('error', reject)
  body.pipe(sent)
  const { statusCode: status, headers } = await promise
  body.unpipe(sent)
  sent.destroy()
  return { status, contentType: headers['content-type']?.split(';', 1)[0], sent: bytes }
}

for (const proxy of proxies) {
  const skip = lacks(proxy)

  test(`behind ${proxy} with TLS, cookies are secure and addresses of pages right`, {
    skip,
  }, async (t) => {
    const server = await startServer(t, { PROXY_HEADERS: '1' })
    const { url } = await startProxy(t, proxy, server.url)

    const signedUp = await signUp(url, url)
    assert.equal(signedUp.status, 302, signedUp.body)
    assert.equal(new URL(signedUp.headers.location ?? '', url).href, `${url}/home`)
    const given = signedUp.headers['set-cookie'] ?? []
    assert.ok(given.length >= 2)
    for (const cookie of given) assert.match(cookie, /; Secure/, cookie)
    assert.match(String(signedUp.headers['strict-transport-security']), /max-age=\d+/)

    const cookie = cookiesOf(given)
    assert.equal((await ask(`${url}/home`, { headers: { cookie } })).status, 200)
    const create = (origin: string, text = 'Buy milk') =>
      ask(`${url}${TODOS}`, {
        method: 'POST',
        headers: { ...JSON_BODY, cookie, origin },
        body: JSON.stringify({ text }),
      })
    const todo = await create(url)
    assert.equal(todo.status, 201, todo.body)
    const location = new URL(todo.headers.location ?? '', `${url}${TODOS}`)
    assert.equal(location.origin, url)
    assert.equal((await ask(location.href, { headers: { cookie } })).status, 200)
    // The same host by http is another origin.
    assert.equal((await create(url.replace('https:', 'http:'))).status, 403)

    await create(url)
    const list = await ask(`${url}${TODOS}?limit=1`, { headers: { cookie } })
    const page = new URL(link(list, 'next') ?? '', `${url}${TODOS}`)
    assert.equal(page.origin, url)
    assert.equal(JSON.parse((await ask(page.href, { headers: { cookie } })).body).length, 1)

    // The longest links that there are: of as many characters as may be searched, each of four bytes.
    const q = '🥛'.repeat(200)
    for (let count = 0; count < 3; count++) await create(url, q)
    const first = await ask(`${url}${TODOS}?${new URLSearchParams({ q, limit: '1' })}`, {
      headers: { cookie },
    })
    const middle = await ask(`${url}${link(first, 'next') ?? ''}`, { headers: { cookie } })
    assert.equal(middle.status, 200, middle.body)
    assert.match(String(middle.headers.link), /rel="first".*rel="prev".*rel="next"/)
  })

  test(`behind ${proxy}, the client's address counts, and not what the client says it is`, {
    skip,
  }, async (t) => {
    const server = await startServer(t, { PROXY_HEADERS: '1', SIGN_IN_FAILURES: '2' })
    const { url } = await startProxy(t, proxy, server.url)
    const forged = { 'x-forwarded-for': '203.0.113.6' }
    const headers = { ...forged, 'x-request-id': 'by-proxy' }
    await ask(`${url}/health`, { from: CLIENT, headers })
    assert.equal(await addressOf(server, 'by-proxy'), CLIENT)

    const tries = async (from: string) => {
      const body = 'username=ann%40example.com&password=wrong'
      const options = { method: 'POST', headers: { ...FORM, ...forged }, body, from }
      return (await ask(`${url}/auth/token`, options)).status
    }
    const statuses = [await tries(CLIENT), await tries(CLIENT), await tries(CLIENT)]
    assert.deepEqual(statuses, [401, 401, 429])
    assert.equal(await tries('127.0.0.3'), 401)
  })

  test(`behind ${proxy}, the service refuses a body that is too large before all of it was sent (413)`, {
    skip,
  }, async (t) => {
    const server = await startServer(t, { PROXY_HEADERS: '1' })
    const { url } = await startProxy(t, proxy, server.url)
    // Often enough that a connection which is reset behind the answer would be noticed.
    for (let count = 0; count < 10; count++) {
      const { status, contentType, sent } = await pour(`${url}/auth/token`)
      assert.deepEqual([status, contentType], [413, 'application/problem+json'])
      assert.ok(sent < LARGE, `${sent} bytes were sent`)
    }
    assert.equal((await ask(`${url}/health`)).status, 200)
  })

  test(`behind ${proxy}, a client that asks whether to send its body is told to go on (100)`, {
    skip,
  }, async (t) => {
    const server = await startServer(t, { PROXY_HEADERS: '1' })
    const { url } = await startProxy(t, proxy, server.url)
    const sent = request(`${url}/auth/token`, {
      ...{ method: 'POST', agent: false, family: 4, rejectUnauthorized: false },
      headers: { ...FORM, expect: '100-continue' },
    })
    sent.flushHeaders()
    await once(sent, 'continue')
    sent.end('username=ann%40example.com&password=wrong')
    const [answer] = await once(sent, 'response')
    answer.resume()
    assert.equal(answer.statusCode, 401)
  })

  test(`behind ${proxy}, forwarded headers are not believed unless asked to`, {
    skip,
  }, async (t) => {
    const server = await startServer(t)
    const { url } = await startProxy(t, proxy, server.url)
    const signedUp = await signUp(url, url.replace('https:', 'http:'))
    for (const cookie of signedUp.headers['set-cookie'] ?? []) assert.doesNotMatch(cookie, /Secure/)
    await ask(`${url}/health`, { from: CLIENT, headers: { 'x-request-id': 'by-proxy' } })
    assert.equal(await addressOf(server, 'by-proxy'), '127.0.0.1')
  })
}

test('forwarded headers of who is not in FORWARDED_ALLOW_IPS are not believed', {
  skip: elsewhere,
}, async (t) => {
  const server = await startServer(t, { PROXY_HEADERS: '1', FORWARDED_ALLOW_IPS: '127.0.0.8/29' })
  const headers = { 'x-forwarded-for': '203.0.113.6', 'x-forwarded-proto': 'https' }
  const from = async (address: string, id: string) => {
    const options = { from: address, headers: { ...headers, 'x-request-id': id } }
    const answer = await ask(`${server.url}/health`, options)
    const isSecure = answer.headers['strict-transport-security'] !== undefined
    return [isSecure, await addressOf(server, id)]
  }
  assert.deepEqual(await from('127.0.0.1', 'stranger'), [false, '127.0.0.1'])
  assert.deepEqual(await from('127.0.0.9', 'proxy'), [true, '203.0.113.6'])
})

test('nginx, which keeps its connections, fails no request while the workers are exchanged', {
  skip: lacks('nginx'),
}, async (t) => {
  const variables = { WEB_CONCURRENCY: '2', PROXY_HEADERS: '1' }
  const server = await startServer(t, variables)
  const { plainUrl } = await startProxy(t, 'nginx', server.url)
  const requests = await load(plainUrl)
  await requests.more(50)
  process.kill(server.pid, 'SIGHUP')
  await until(() => /all workers are new/.test(server.output()), server.output)
  await requests.more(50)
  await requests.stop()
  assert.deepEqual(requests.failed(), [])
  await requests.assertKept()
})

test('nginx passes over a replica that is away, for requests with a body too', {
  skip: lacks('nginx'),
}, async (t) => {
  const server = await startServer(t, { PROXY_HEADERS: '1' })
  const away = `http://127.0.0.1:${await freePort()}`
  const { url } = await startProxy(t, 'nginx', server.url, { others: [away] })
  const ways = [{}, { method: 'POST', headers: FORM, body: 'username=ann&password=wrong' }]
  for (const options of [...ways, ...ways, ...ways]) {
    const { status } = await ask(`${url}/auth/token`, options)
    assert.equal(status, 'body' in options ? 401 : 405)
  }
})

test('HAProxy lets a client go that sends the head of a request too slowly (408), or no other request', {
  skip: lacks('haproxy'),
}, async (t) => {
  const server = await startServer(t, { PROXY_HEADERS: '1' })
  const { url } = await startProxy(t, 'haproxy', server.url, { patience: '1s' })
  const open = async () => {
    const options = { host: '127.0.0.1', port: Number(new URL(url).port) }
    const socket = connect({ ...options, rejectUnauthorized: false })
    socket.on('error', () => {})
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }
  const slow = await open()
  slow.write('GET /health HTTP/1.1\r\nHost: here\r\nX-Slow: ')
  const drip = setInterval(() => slow.write('x'), 100)
  t.after(() => clearInterval(drip))
  assert.match(await text(slow), /^HTTP\/1\.1 408 /)

  const idle = await open()
  idle.write('GET /health HTTP/1.1\r\nHost: here\r\n\r\n')
  assert.match(await text(idle), /^HTTP\/1\.1 200 /)
})
