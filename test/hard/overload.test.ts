import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freshDatabase, isPostgresql } from '../world.ts'
import { until } from '../server.ts'
import { flood, type Outcome } from './flood.ts'
import { directoryFor, type Service, startService } from './service.ts'
import { newcomer } from './writers.ts'

const TODOS = '/api/v1/todos'

async function start(t: TestContext, variables: Record<string, string> = {}) {
  const { url, drop } = await freshDatabase()
  const service = await startService(t, {
    DATABASE_URL: isPostgresql ? url : `sqlite:///${directoryFor(t)}/todo.db`,
    WEB_CONCURRENCY: '1',
    ...variables,
  })
  t.after(drop)
  const token = await newcomer(service.url, 'owner')
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  for (let index = 0; index < 100; index++) {
    const body = JSON.stringify({ text: `Todo ${index}` })
    const answer = await fetch(service.url + TODOS, { method: 'POST', headers, body })
    assert.equal(answer.status, 201)
    await answer.arrayBuffer()
  }
  const statusOf = async (path: string) => {
    const answer = await fetch(service.url + path, { headers })
    await answer.arrayBuffer()
    return answer.status
  }
  return { service, token, statusOf }
}

/** Resident memory of the process, in MB, and the most that it ever was. */
function memoryOf(service: Service): { now: number; peak: number } {
  const status = readFileSync(`/proc/${service.pid()}/status`, 'utf8')
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  return { now: kilobytes('VmRSS') / 1024, peak: kilobytes('VmHWM') / 1024 }
}

const count = ({ statuses }: Outcome, status: number) => statuses.get(status) ?? 0
const percentile = ({ durations }: Outcome, share: number) =>
  Math.round(durations[Math.floor(durations.length * share)] ?? 0)

const list = (token: string) =>
  `GET ${TODOS}?limit=100 HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n\r\n`

test('at ten times the load that it can serve it refuses the rest early, stays small, and is well a second after', async (t) => {
  const { service, token, statusOf } = await start(t, { OVERLOAD_DELAY: '200' })
  const request = list(token)
  const load = { url: service.url, request, seconds: 4 }
  await flood({ ...load, perSecond: 100, seconds: 2 })
  // What it can do: all that few clients get who are always at it.
  const most = await flood({ ...load, perSecond: 20_000, connections: 20 })
  const capacity = count(most, 200) / most.seconds
  assert.deepEqual([...most.statuses.keys()], [200])

  let isOver = false
  const health: number[] = []
  const ready: number[] = []
  const watching = (async () => {
    while (!isOver) {
      health.push(await statusOf('/health'))
      ready.push(await statusOf('/ready'))
      await delay(100)
    }
  })()
  const outcome = await flood({ ...load, perSecond: 10 * capacity, seconds: 10 })
  isOver = true
  await watching
  const rate = (status: number) => Math.round(count(outcome, status) / outcome.seconds)
  t.diagnostic(
    `capacity ${Math.round(capacity)}/s; at ${Math.round(10 * capacity)}/s offered ` +
      `(${outcome.unsent} not even sent): ${rate(200)}/s served, ${rate(503)}/s refused; served in ` +
      `${percentile(outcome, 0.5)} ms (median), ${percentile(outcome, 0.99)} ms (99 %); ` +
      `ready ${ready.filter((status) => status === 200).length} of ${ready.length} times; peak memory ${Math.round(memoryOf(service).peak)} MB; ${[...outcome.statuses].map((each) => each.join(' × ')).join(', ')}`,
  )
  await delay(1000)
  for (let turn = 0; turn < 50; turn++) assert.equal(await statusOf(TODOS), 200)

  assert.deepEqual([...outcome.statuses.keys()].sort(), [200, 503])
  assert.equal(outcome.withoutRetryAfter, 0)
  assert.deepEqual([...new Set(health)], [200], 'health is never refused')
  // Readiness asks the database, and so waits for a connection as everyone does.
  assert.ok(ready.every((status) => status === 200 || (isPostgresql && status === 503)))
  assert.equal(await statusOf('/ready'), 200)
  const { peak } = memoryOf(service)
  assert.ok(peak < 1024, `${peak} MB`)
})

test('ten times as many sign-ins as it can hash are refused early, and other requests go on', async (t) => {
  const { service, statusOf } = await start(t, { SIGN_IN_FAILURES: '1000' })
  const body = 'username=nobody%40example.com&password=not+the+password'
  const request = `POST /auth/token HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const flooding = flood({
    url: service.url,
    request,
    perSecond: 700,
    seconds: 5,
    connections: 1500,
  })
  const others: number[] = []
  for (let turn = 0; turn < 40; turn++) {
    others.push(await statusOf(TODOS))
    await delay(100)
  }
  const outcome = await flooding
  await delay(1000)
  for (let turn = 0; turn < 20; turn++) assert.equal(await statusOf(TODOS), 200)
  for (const status of outcome.statuses.keys()) assert.ok([401, 429, 503].includes(status))
  assert.ok(count(outcome, 503) > 0)
  assert.equal(outcome.withoutRetryAfter, 0)
  const served = others.filter((status) => status === 200).length
  assert.ok(others.every((status) => status === 200 || status === 503))
  assert.ok(served > others.length / 2, `${served} of ${others.length} lists were served`)
  const answers = [...outcome.statuses].map((each) => each.join(' × ')).join(', ')
  t.diagnostic(
    `${answers}; ${served} of ${others.length} lists served; peak memory ${Math.round(memoryOf(service).peak)} MB`,
  )
})

/** Opens connections one after the other; undefined when this process may not have so many. */
async function openMany(
  t: TestContext,
  { url }: Service,
  many: number,
  text: (number: number) => string,
): Promise<Socket[] | undefined> {
  const { hostname, port } = new URL(url)
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (let number = 0; number < many; number++) {
    const socket = connect(Number(port), hostname)
    sockets.push(socket)
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.on('error', () => resolve(false))
    })
    if (!isOpen) return undefined
    socket.write(text(number))
  }
  return sockets
}

test('10,000 idle connections are borne, and let go when their time is over', async (t) => {
  const { service, statusOf } = await start(t, {
    HEADERS_TIMEOUT: '20000',
    KEEP_ALIVE_TIMEOUT: '20000',
  })
  const before = memoryOf(service).now
  // One half never said anything, the other half was served and may come again.
  const sockets = await openMany(t, service, 10_000, (number) =>
    number % 2 ? '' : 'GET /health HTTP/1.1\r\nHost: here\r\n\r\n',
  )
  if (!sockets) return t.skip('this process may not have 10,000 connections')
  for (const socket of sockets) socket.resume()
  const isOpen = (socket: Socket) => !socket.readableEnded && !socket.destroyed
  assert.ok(sockets.every(isOpen), 'all are open')
  const { now } = memoryOf(service)
  for (let turn = 0; turn < 50; turn++) assert.equal(await statusOf(TODOS), 200)
  await until(
    () => !sockets.some(isOpen),
    () => 'all were let go',
    60_000,
  )
  assert.equal(await statusOf('/ready'), 200)
  assert.ok(now < 1024, `${now} MB`)
  t.diagnostic(`memory ${Math.round(before)} MB before, ${Math.round(now)} MB with 10,000`)
})

test('a crowd of slow senders and of readers that stop is let go, and others are served meanwhile', async (t) => {
  const { service, token, statusOf } = await start(t, {
    HEADERS_TIMEOUT: '4000',
    REQUEST_TIMEOUT: '6000',
    STALL_TIMEOUT: '6000',
  })
  const isDeaf = (number: number) => number % 90 === 0
  const slowHead = 'GET /health HTTP/1.1\r\nHost: here\r\nX-Slow: '
  const slowBody = `POST ${TODOS} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"text": "`
  const deaf = list(token).repeat(2000)
  const sockets = await openMany(t, service, 900, (number) =>
    isDeaf(number) ? deaf : number % 2 ? slowHead : slowBody,
  )
  if (!sockets) return t.skip('this process may not have 900 connections')
  let isOver = false
  const dripping = (async () => {
    while (!isOver) {
      for (const [number, socket] of sockets.entries()) {
        // Those that do not read must not read by accident.
        if (isDeaf(number)) socket.pause()
        else if (socket.writable) socket.resume().write('x')
      }
      await delay(500)
    }
  })()
  const served: number[] = []
  for (let turn = 0; turn < 40; turn++) {
    served.push(await statusOf(TODOS))
    await delay(100)
  }
  const { peak } = memoryOf(service)
  // A connection that is not read shows its end only to the server.
  const open = () => establishedTo(service.url)
  await until(
    () => open() < 10,
    () => 'all were let go',
    120_000,
  )
  isOver = true
  await dripping
  for (let turn = 0; turn < 20; turn++) assert.equal(await statusOf(TODOS), 200)
  assert.ok(served.every((status) => status === 200 || status === 503))
  const well = served.filter((status) => status === 200).length
  assert.ok(well > served.length / 2, `${well} of ${served.length} were served`)
  assert.ok(peak < 600, `${peak} MB`)
  t.diagnostic(`${well} of ${served.length} served; peak memory ${Math.round(peak)} MB`)
})

/** How many connections the server's side of the port has (`/proc/net/tcp`, state 01). */
function establishedTo(url: string): number {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${port} [0-9A-F:]+ 01 `).test(line)).length
}
