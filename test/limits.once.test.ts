import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startServer, until } from './server.ts'
import { world } from './world.ts'

/** The service on a port, and connections to it that are closed with the test. */
async function listening(t: TestContext, variables: Record<string, string> = {}) {
  const here = await world(t, variables)
  await here.app.listen({ port: 0, host: '127.0.0.1' })
  const address = here.app.server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const open = (text = ''): Socket => {
    const socket = connect(address.port, '127.0.0.1')
    socket.on('error', () => {})
    t.after(() => socket.destroy())
    socket.write(text)
    return socket
  }
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      here.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )
  return { ...here, open, connections }
}

/** All that comes by a connection until the server closes it. */
async function everything(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes
  })
  if (!socket.closed) await once(socket, 'close')
  return text
}

/** Writes a piece now and then for as long as the connection is open. */
async function drip(socket: Socket, piece: string): Promise<void> {
  while (!socket.destroyed && socket.writable) {
    socket.write(piece)
    await delay(100)
  }
}

const FORM = 'Host: here\r\nContent-Type: application/x-www-form-urlencoded\r\n'

test('a client that sends nothing, or its headers too slowly, is let go (408)', async (t) => {
  // An odd time, since the server looks twice in it.
  const { open } = await listening(t, { HEADERS_TIMEOUT: '1001' })
  const silent = open()
  const slow = open('GET /health HTTP/1.1\r\nHost: here\r\nX-Slow: ')
  void drip(slow, 'x')
  for (const text of await Promise.all([everything(silent), everything(slow)])) {
    assert.match(text, /^HTTP\/1\.1 408 .*application\/problem\+json.*"status":408/s)
  }
})

test('clients may be given as long as the options allow', async (t) => {
  const { nobody } = await world(t, { HEADERS_TIMEOUT: '600000', REQUEST_TIMEOUT: '600000' })
  assert.equal((await nobody.get('/health')).statusCode, 200)
})

test('a client that sends its body too slowly is let go (408)', async (t) => {
  const { open } = await listening(t, { REQUEST_TIMEOUT: '1000' })
  const socket = open(`POST /auth/token HTTP/1.1\r\n${FORM}Content-Length: 10000\r\n\r\n`)
  void drip(socket, 'x')
  assert.match(await everything(socket), /^HTTP\/1\.1 408 .*"status":408/s)
})

test('a client that does not read its answers is cut off', async (t) => {
  const { app, open, connections } = await listening(t, { STALL_TIMEOUT: '1000' })
  const socket = open()
  socket.pause()
  const request = 'GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n'
  // More than the buffers of both sides take.
  socket.write(request.repeat(1000))
  await once(app.server, 'request')
  assert.equal(await connections(), 1)
  while ((await connections()) > 0) await delay(50)
})

test('a client that asks many times at once is served piece by piece, in the order it asked', async (t) => {
  const { app, ann, open } = await listening(t)
  const { id } = (await ann.post('/api/v1/todos', { text: 'read' })).json()
  let underWay = 0
  let most = 0
  app.server.on('request', (_request, response) => {
    most = Math.max(most, ++underWay)
    response.on('close', () => underWay--)
  })
  const head = `HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${ann.token}\r\n`
  const read = `GET /api/v1/todos/${id} ${head}\r\n`
  // More than is read at a time, so that its end has yet to come when the others are many.
  const long = (text: string) => JSON.stringify({ text }).padEnd(70_000)
  const add = (text: string) =>
    `POST /api/v1/todos ${head}Content-Type: application/json\r\nContent-Length: 70000\r\n\r\n${long(text)}`
  const pieces = Array.from({ length: 3 }, (_, number) => [
    read.repeat(1500),
    add(`added ${number}`),
  ])
  const last = `GET /api/v1/todos/${id} ${head}Connection: close\r\n\r\n`
  const answers = await everything(open(pieces.flat().join('') + last))

  const texts = Array.from(answers.matchAll(/"text":"([^"]*)"/g), ([, text]) => text)
  const expected = pieces.flatMap((_, number) => [
    ...new Array<string>(1500).fill('read'),
    `added ${number}`,
  ])
  assert.deepEqual(texts, [...expected, 'read'])
  assert.ok(most < 700, `${most} at once`)
})

test('a request head that is too large is refused (431): a header, or a query', async (t) => {
  const { open } = await listening(t, { HEADER_LIMIT: '8192' })
  const long = 'x'.repeat(8192)
  for (const text of [
    `GET /health HTTP/1.1\r\nHost: here\r\nX-Long: ${long}\r\n\r\n`,
    `GET /health?x=${long} HTTP/1.1\r\nHost: here\r\n\r\n`,
    `GET /health HTTP/1.1\r\nHost: here\r\n${'X-Many: 1\r\n'.repeat(1000)}\r\n`,
  ]) {
    assert.match(await everything(open(text)), /^HTTP\/1\.1 431 .*"status":431/s)
  }
})

test('a client that goes on sending a body that is too large sees the answer, and no reset (413)', async (t) => {
  const { open } = await listening(t)
  const socket = open(`POST /auth/token HTTP/1.1\r\n${FORM}Transfer-Encoding: chunked\r\n\r\n`)
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  socket.write(chunk)
  const [refusal] = await once(socket, 'data')
  assert.match(String(refusal), /^HTTP\/1\.1 413 /)
  const next = 'GET /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n'
  socket.write(`${chunk.repeat(10)}0\r\n\r\n${next}`)
  assert.match(await everything(socket), /^HTTP\/1\.1 200 /)
})

test('where nobody need be signed in a body is 16 KiB at most (413)', async (t) => {
  const { app, nobody, ann } = await listening(t)
  const paths = [...app.routeTable].filter(([, methods]) => methods.has('POST'))
  const body = `text=${'x'.repeat(17_000)}`
  let refused = 0
  for (const [path] of paths) {
    const answer = await nobody.send(path.replace(':id', '1'), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
      },
      body,
    })
    if (answer.statusCode === 413) refused++
    else assert.ok([302, 303, 401, 415].includes(answer.statusCode), `${path} ${answer.statusCode}`)
  }
  assert.ok(refused >= 4, 'the forms for signing in and revoking were tried')
  const text = 'x'.repeat(17_000)
  assert.equal((await nobody.post('/api/v1/users/signup', { text })).statusCode, 413)
  assert.equal((await ann.post('/api/v1/todos', { text })).statusCode, 422)
})

test('large bodies under way are 64 MiB at most (503), and small ones have room beside them', async (t) => {
  const { ann, open } = await listening(t)
  const size = 1024 * 1024
  const begin = (length: string) => {
    const socket = open(
      `POST /api/v1/todos HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${ann.token}\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
    )
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes
    })
    return { socket, answered: () => text }
  }
  const held = Array.from({ length: 64 }, (_, index) =>
    begin(index % 2 ? `Content-Length: ${size}` : 'Transfer-Encoding: chunked'),
  )
  const large = { text: 'x', more: 'x'.repeat(20_000) }
  const answer = () => ann.post('/api/v1/todos', large)
  await until(
    async () => (await answer()).statusCode === 503,
    () => 'no more room',
  )
  const refused = await answer()
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/)
  assert.match(refused.json().detail, /large bodies/)
  assert.equal((await ann.post('/api/v1/todos', { text: 'Small' })).statusCode, 201)
  assert.deepEqual([...new Set(held.map(({ answered }) => answered()))], [''])

  held[0]?.socket.destroy()
  // There is room for it, so it is read, and found to be at fault.
  await until(
    async () => (await answer()).statusCode === 422,
    () => 'room again',
  )
  // The service is closed only when they are over.
  for (const { socket } of held) socket.destroy()
})

test('connections beyond CONNECTIONS_MAX are closed, and there is room again when one goes', async (t) => {
  const { open } = await listening(t, { CONNECTIONS_MAX: '10' })
  const request = 'GET /health HTTP/1.1\r\nHost: here\r\n\r\n'
  const first = Array.from({ length: 10 }, () => open(request))
  for (const socket of first) await once(socket, 'data')
  assert.equal(await everything(open(request)), '')
  first[0]?.destroy()
  for (;;) {
    const socket = open(request)
    const [bytes] = await Promise.race([once(socket, 'data'), once(socket, 'close')])
    if (bytes instanceof Buffer) break
    await delay(20)
  }
})

test('requests that had to wait for others longer than OVERLOAD_DELAY are refused (503), health is not', async (t) => {
  const origin = 'https://app.example.org'
  const { ann, open, connections } = await listening(t, {
    OVERLOAD_DELAY: '10',
    CORS_ORIGINS: origin,
  })
  for (let index = 0; index < 100; index++) await ann.post('/api/v1/todos', { text: `${index}` })
  const sockets = Array.from({ length: 400 }, () => open())
  while ((await connections()) < sockets.length) await delay(10)
  const head = `HTTP/1.1\r\nHost: here\r\nOrigin: ${origin}\r\nAuthorization: Bearer ${ann.token}\r\nConnection: close\r\n\r\n`
  const isHealth = (index: number) => index % 10 === 9
  // All at once: the server comes to the last of them when it has served those before.
  for (const [index, socket] of sockets.entries()) {
    socket.write(`GET ${isHealth(index) ? '/health' : '/api/v1/todos?limit=100'} ${head}`)
  }
  const answers = await Promise.all(sockets.map(everything))
  const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 503 '))
  assert.ok(refused.length > 0, 'some were refused')
  assert.ok(refused.length < 360, 'some were served')
  for (const answer of refused) {
    assert.match(answer, /\r\nretry-after: [1-9]\d*\r\n/i)
    assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/i)
    assert.match(answer, /\r\nx-request-id: /i)
    assert.match(answer, /\r\nx-content-type-options: nosniff\r\n/i)
    assert.match(answer, /\r\naccess-control-allow-origin: https:\/\/app\.example\.org\r\n/i)
  }
  for (const [index, answer] of answers.entries()) {
    assert.match(answer, isHealth(index) ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 (200|503) /)
  }
  // The end of 400 connections is work, too, and may be as late as those before.
  await until(
    async () => (await ann.get('/api/v1/todos')).statusCode === 200,
    () => 'all is well',
  )
})

test('a client that breaks off is not taken for a lost database', async (t) => {
  const { url, logged } = await startServer(t, { LOG_FORMAT: 'json' })
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`POST /auth/token HTTP/1.1\r\n${FORM}Content-Length: 10000\r\n\r\nusername=`)
  await delay(200)
  socket.destroy()
  // The log is written in order: when this request is in it, so is what became of the other.
  await fetch(`${url}/health`)
  while (logged('req').length < 1) await delay(20)
  await delay(200)
  assert.deepEqual(logged('cause'), [])
})

test('a page that says to try again leads to this site, whatever the path looks like', async (t) => {
  const { open, connections } = await listening(t, { OVERLOAD_DELAY: '10' })
  const sockets = Array.from({ length: 400 }, () => open())
  while ((await connections()) < sockets.length) await delay(10)
  for (const socket of sockets) {
    socket.write(
      'GET //evil.example/login HTTP/1.1\r\nHost: here\r\nAccept: text/html\r\nConnection: close\r\n\r\n',
    )
  }
  const answers = await Promise.all(sockets.map(everything))
  const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 503 '))
  assert.ok(refused.length > 0, 'some were refused')
  for (const answer of refused) assert.match(answer, /<a class="button" href="\/home">Try again</)
})
