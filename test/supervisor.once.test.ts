import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { MEMORY_VARIABLES } from '../src/cluster/memory.ts'
import { installation } from './command.ts'
import { load } from './load.ts'
import { listeningLines, type Server, startServer, until } from './server.ts'

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The processes that serve, by the log, in the order of their start. */
const workersOf = (server: Server): number[] =>
  listeningLines(server)
    .map(({ pid }) => Number(pid))
    .filter(isAlive)

async function startWorkers(t: TestContext, variables: Record<string, string> = {}) {
  const server = await startServer(t, { WEB_CONCURRENCY: '2', ...variables })
  await until(() => workersOf(server).length === 2, server.output)
  return server
}

/** Waits until two workers serve, none of which is among those of before. */
const replaced = (server: Server, old: readonly number[]) =>
  until(() => {
    const now = workersOf(server)
    return now.length === 2 && old.every((pid) => !now.includes(pid))
  }, server.output)

test('a worker that is killed under load fails only its own requests, and is replaced', async (t) => {
  const server = await startWorkers(t)
  const requests = await load(server.url)
  await requests.more(50)
  const [victim = 0] = workersOf(server)
  process.kill(victim, 'SIGKILL')
  await replaced(server, [victim])
  await requests.more(50)
  await requests.stop()
  // Each of the six clients has one request open at a time.
  assert.ok(requests.failed().length <= 6, requests.failed().join('\n'))
  for (const failure of requests.failed()) assert.match(failure, /ECONNRESET|socket hang up/)
  const [death] = server.logged('ending')
  assert.deepEqual([death?.worker_pid, death?.ending], [victim, 'SIGKILL'])
})

test('a worker that does not answer any more is killed and replaced (WORKER_TIMEOUT)', async (t) => {
  const server = await startWorkers(t, { WORKER_TIMEOUT: '2' })
  const [victim = 0] = workersOf(server)
  process.kill(victim, 'SIGSTOP')
  await replaced(server, [victim])
  assert.match(server.output(), /a worker does not answer/)
  const requests = await load(server.url)
  await requests.more(50)
  await requests.stop()
  assert.deepEqual(requests.failed(), [])
})

test('SIGHUP exchanges every worker under load and fails no request', async (t) => {
  const server = await startWorkers(t)
  const requests = await load(server.url)
  await requests.more(50)
  const old = workersOf(server)
  process.kill(server.pid, 'SIGHUP')
  await replaced(server, old)
  await requests.more(50)
  await requests.stop()
  assert.deepEqual(requests.failed(), [])
  await requests.assertKept()
})

test('a worker that was sent SIGTERM is replaced without failing a request', async (t) => {
  const server = await startWorkers(t)
  const requests = await load(server.url)
  await requests.more(50)
  const [one = 0] = workersOf(server)
  process.kill(one, 'SIGTERM')
  await replaced(server, [one])
  await requests.more(50)
  await requests.stop()
  assert.deepEqual(requests.failed(), [])
})

test('workers are given no folder for temporary files but the operator’s: .env may name another database', {
  skip: !existsSync('/proc/self/environ') && 'no /proc here',
}, async (t) => {
  const given = { SQLITE_TMPDIR: '/var/tmp' }
  for (const variables of [{}, given]) {
    const [pid] = workersOf(await startWorkers(t, variables))
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')
    const named = environment.filter((variable) => variable.startsWith('SQLITE_TMPDIR='))
    assert.deepEqual(named, variables === given ? ['SQLITE_TMPDIR=/var/tmp'] : [])
  }
})

for (const [name, limit, patience] of [
  ['MAX_REQUESTS', '100', 0],
  // In its first ten seconds no worker is.
  ['WORKER_MEMORY_LIMIT', '20', 3_000],
] as const) {
  test(`a worker beyond ${name} is replaced without failing a request`, async (t) => {
    const server = await startWorkers(t, { [name]: limit })
    const old = workersOf(server)
    await delay(patience)
    assert.deepEqual(workersOf(server), old)
    const requests = await load(server.url)
    while (workersOf(server).every((pid) => old.includes(pid))) await requests.more(10)
    await until(() => old.some((pid) => !isAlive(pid)), server.output)
    await requests.more(10)
    await requests.stop()
    assert.deepEqual(requests.failed(), [])
    assert.match(String(server.logged('reason')[0]?.reason), new RegExp(name))
  })
}

test('a memory limit that new workers are beyond already is warned of, once', async (t) => {
  const server = await startWorkers(t, { WORKER_MEMORY_LIMIT: '20' })
  const warnings = () => server.logged('level').filter(({ level }) => level === 40)
  await until(() => warnings().length > 0, server.output)
  const requests = await load(server.url)
  await requests.more(200)
  await requests.stop()
  assert.equal(warnings().length, 1)
  assert.match(String(warnings()[0]?.msg), /WORKER_MEMORY_LIMIT is less than/)
})

for (const workers of ['1', '2']) {
  test(`SIGTERM under load fails no request: /ready says 503 first (${workers} process)`, async (t) => {
    const variables = { WEB_CONCURRENCY: workers, DRAIN_DELAY: '3' }
    const server = await startServer(t, variables)
    await until(() => server.logged('pid').length > 0, server.output)
    const requests = await load(server.url)
    await requests.more(50)
    const slow = await halfRequest(server.url)
    process.kill(server.pid, 'SIGTERM')
    // What a load balancer does: it sends nothing more to a server that is not ready.
    let answer = await fetch(`${server.url}/ready`)
    await until(async () => {
      await answer.arrayBuffer()
      answer = await fetch(`${server.url}/ready`)
      return answer.status === 503
    }, server.output)
    assert.match(String(answer.headers.get('retry-after')), /^\d+$/)
    assert.equal(answer.headers.get('connection'), 'close')
    await requests.more(50)
    await requests.stop()
    assert.deepEqual(requests.failed(), [])
    // One that began before is finished after no other is taken.
    await until(
      () =>
        fetch(server.url).then(
          () => false,
          () => true,
        ),
      server.output,
    )
    assert.match(await slow.finish(), /^HTTP\/1\.1 401 /)
    assert.equal(await server.ended, 0)
  })

  test(`a second signal ends at once, with an open request (${workers} process)`, async (t) => {
    const server = await startServer(t, { WEB_CONCURRENCY: workers })
    const slow = await halfRequest(server.url)
    process.kill(server.pid, 'SIGINT')
    await until(() => /SIGINT: finishing/.test(server.output()), server.output)
    process.kill(server.pid, 'SIGTERM')
    assert.equal(await server.ended, 1)
    assert.doesNotMatch(await slow.finish(), /HTTP/)
  })

  test(`an open request that does not end in GRACEFUL_TIMEOUT is given up (${workers} process)`, async (t) => {
    const server = await startServer(t, { WEB_CONCURRENCY: workers, GRACEFUL_TIMEOUT: '1' })
    await halfRequest(server.url)
    process.kill(server.pid, 'SIGTERM')
    assert.equal(await server.ended, 1)
    assert.match(server.output(), /did not finish within GRACEFUL_TIMEOUT/)
  })
}

test('a service that has nothing to do stops with 0, however little time it has', async (t) => {
  const server = await startServer(t, { GRACEFUL_TIMEOUT: '1', DRAIN_DELAY: '' })
  process.kill(server.pid, 'SIGTERM')
  assert.equal(await server.ended, 0)
})

test('SIGTERM to `npm start` stops the service, although its shell passes no signal on', async (t) => {
  const { variables } = await installation(t)
  const npm = spawn('npm', ['start'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { PATH: process.env.PATH, ...variables, SECRET_KEY: 'a key that is of no use elsewhere' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const closed = once(npm.stdout, 'close')
  let output = ''
  npm.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  await until(
    () => output.includes('Listening on'),
    () => output,
  )
  npm.kill('SIGTERM')
  // The service is the last to hold its end of the pipe.
  await closed
  assert.match(output, /SIGTERM: finishing the open requests/)
})

test('no worker outlives a supervisor that is killed', async (t) => {
  const server = await startWorkers(t)
  const workers = workersOf(server)
  process.kill(server.pid, 'SIGKILL')
  await until(() => !workers.some(isAlive), server.output)
})

test('workers get the memory settings of the C library, unless the operator has others', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async (t) => {
  /** The first one: glibc cuts the text there, in place, as the process starts. */
  const firstSettingOf = async (variables: Record<string, string>) => {
    const [worker] = workersOf(await startWorkers(t, variables))
    const environment = (await readFile(`/proc/${worker}/environ`, 'utf8')).split('\0')
    return environment.find((each) => each.startsWith('GLIBC_TUNABLES='))?.split(/[=:]/)[2]
  }
  assert.equal(await firstSettingOf({}), '1')
  assert.match(MEMORY_VARIABLES.GLIBC_TUNABLES, /^glibc\.malloc\.arena_max=1:/)
  assert.equal(await firstSettingOf({ GLIBC_TUNABLES: 'glibc.malloc.arena_max=2' }), '2')
})

/** Begins a request whose body is yet to come. Gives once the service has asked for that body. */
async function halfRequest(url: string) {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.on('error', () => {})
  const body = 'username=ann%40example.com&password=wrong'
  socket.write(
    `POST /auth/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  // Until then the connection may still wait in the queue of the operating system.
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 100 /)
  const received = text(socket).catch(() => '')
  socket.write(body.slice(0, 5))
  return {
    finish() {
      socket.write(body.slice(5))
      return received
    },
  }
}
