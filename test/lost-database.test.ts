import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { pino } from 'pino'
import { buildApp } from '../src/app.ts'
import { open } from '../src/db/open.ts'
import { installation } from './command.ts'
import { blockTodos, inTransaction, waitingForLocks } from './locks.ts'
import { listeningLines, startServer, until } from './server.ts'
import { clientOf, freshDatabase, isPostgresql, world } from './world.ts'

/** A way to the PostgreSQL server that can be cut, or made to swallow everything. */
async function fragileWay(t: TestContext, target: URL) {
  const sockets = new Set<Socket>()
  let state: 'open' | 'cut' | 'silent' = 'open'
  const server = createServer((near) => {
    if (state === 'cut') {
      near.resetAndDestroy()
      return
    }
    const far = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('data', (bytes) => state !== 'silent' && other.write(bytes))
      one.on('close', () => other.destroy())
      one.on('error', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const drop = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  t.after(() => {
    drop()
    server.close()
  })
  const url = new URL(target)
  url.host = `127.0.0.1:${address.port}`
  return {
    url: url.href,
    cut: () => {
      state = 'cut'
      drop()
    },
    silence: () => {
      state = 'silent'
    },
    mend: () => {
      state = 'open'
      drop()
    },
  }
}

const skip = !isPostgresql && 'an embedded file has no connection to lose'

async function fragileWorld(t: TestContext, statementTimeout = '500') {
  const { url, drop } = await freshDatabase()
  const way = await fragileWay(t, new URL(url))
  const here = await world(t, {
    DATABASE_URL: way.url,
    DATABASE_CONNECT_TIMEOUT: '500',
    DATABASE_STATEMENT_TIMEOUT: statementTimeout,
  })
  t.after(drop)
  return { ...here, way, direct: url }
}

test('a cut connection is a 503 that says when to come again, and heals by itself', {
  skip,
}, async (t) => {
  const { ann, nobody, way } = await fragileWorld(t)
  await ann.post('/api/v1/todos', { text: 'Kept' })
  way.cut()
  for (const [method, url] of [
    ['GET', '/api/v1/todos'],
    ['POST', '/api/v1/todos'],
    ['GET', '/ready'],
  ] as const) {
    const answer = method === 'GET' ? await ann.get(url) : await ann.post(url, { text: 'Lost' })
    assert.equal(answer.statusCode, 503, url)
    assert.match(String(answer.headers['retry-after']), /^\d+$/)
    assert.doesNotMatch(answer.body, /ECONN|127\.0\.0\.1|postgres/i)
  }
  assert.equal((await nobody.get('/health')).statusCode, 200)
  way.mend()
  const texts = (await ann.get('/api/v1/todos')).json().map(({ text }: { text: string }) => text)
  assert.deepEqual(texts, ['Kept'])
  assert.equal((await nobody.get('/ready')).statusCode, 200)
})

test('a database that accepts and never answers is a 503 too, and heals by itself', {
  skip,
}, async (t) => {
  const { ann, way } = await fragileWorld(t)
  way.silence()
  assert.equal((await ann.get('/api/v1/todos')).statusCode, 503)
  assert.equal((await ann.post('/api/v1/todos', { text: 'Lost' })).statusCode, 503)
  way.mend()
  assert.equal((await ann.post('/api/v1/todos', { text: 'Found' })).statusCode, 201)
})

test('while a database says nothing, /ready tells so within the time that who asks has', {
  skip,
}, async (t) => {
  const { nobody, way } = await fragileWorld(t, '600000')
  way.silence()
  const silent = await nobody.get('/ready')
  assert.equal(silent.statusCode, 503)
  assert.equal(silent.json().detail, 'The database does not answer.')
  assert.match(String(silent.headers['retry-after']), /^[1-9]\d*$/)
  way.mend()
  await until(
    async () => (await nobody.get('/ready')).statusCode === 200,
    () => 'the database answers again',
  )
})

test('a transaction whose connection is cut leaves nothing behind', { skip }, async (t) => {
  const { ann, db, way, direct } = await fragileWorld(t, '10000')
  const add = () => ann.post('/api/v1/todos', { text: 'Once' }, { 'idempotency-key': 'one' })
  const unblock = await blockTodos(direct)
  const adding = add()
  await waitingForLocks(db, 1)
  way.cut()
  assert.equal((await adding).statusCode, 503)
  await unblock()
  way.mend()
  // The key is free as soon as PostgreSQL finds out that nobody waits for its answer.
  await until(
    async () => (await add()).statusCode === 201,
    () => 'the key is free',
  )
  assert.equal((await ann.get('/api/v1/todos')).headers['x-total-count'], '1')
})

test('a connection that can only read is given up by the first write that fails on it', {
  skip,
}, async (t) => {
  const { ann, db } = await world(t, { DATABASE_POOL_SIZE: '1' })
  const add = async (headers = {}) =>
    (await ann.post('/api/v1/todos', { text: 'a' }, headers)).statusCode
  for (const headers of [{}, { 'idempotency-key': 'in-a-transaction' }]) {
    await sql`set session characteristics as transaction read only`.execute(db)
    assert.deepEqual([await add(headers), await add(headers)], [503, 201])
  }
})

test('a worker that ends while the database is away is replaced all the same', {
  skip,
}, async (t) => {
  const { url, drop } = await freshDatabase()
  t.after(drop)
  const way = await fragileWay(t, new URL(url))
  const server = await startServer(t, {
    DATABASE_URL: way.url,
    DATABASE_CONNECT_TIMEOUT: '500',
    WEB_CONCURRENCY: '2',
  })
  const serving = () => listeningLines(server)
  await until(() => serving().length === 2, server.output)
  way.cut()
  process.kill(Number(serving()[0]?.pid), 'SIGKILL')
  await until(() => serving().length === 3, server.output)
  assert.equal((await fetch(`${server.url}/ready`)).status, 503)
  way.mend()
  const isReady = async () => (await fetch(`${server.url}/ready`)).status === 200
  await until(isReady, server.output)
})

test('a database that cannot show who it is, is a 503, and a sentence at a start', {
  skip,
}, async (t) => {
  const { config, ann } = await world(t)
  const url = new URL(config.databaseUrl)
  url.searchParams.set('sslmode', 'verify-full')
  const db = await open(url.href, { pool: config.pool, onConnectionLost: () => {} })
  const app = await buildApp(config, db, pino({ level: 'silent' }))
  t.after(async () => {
    await app.close()
    await db.destroy()
  })
  const client = clientOf(app, ann.token)
  assert.equal((await client.get('/ready')).statusCode, 503)
  assert.equal((await client.get('/api/v1/todos')).statusCode, 503)

  const { todo } = await installation(t)
  const { code, stderr } = await todo(['migrate'], { variables: { DATABASE_URL: url.href } })
  assert.equal(code, 1)
  assert.match(stderr, /^The database cannot be reached: .+\n$/)
})

test('when others wait too long for a connection, who comes is refused at once (503)', {
  skip,
}, async (t) => {
  const { ann, config, nobody } = await world(t, {
    DATABASE_POOL_SIZE: '1',
    // Longer than a busy machine may keep the process from its work.
    OVERLOAD_DELAY: '500',
    DATABASE_CONNECT_TIMEOUT: '60000',
  })
  const other = await inTransaction(config.databaseUrl, 'lock table users')
  const waiting = Array.from({ length: 3 }, () => ann.get('/api/v1/todos'))
  let refused = await nobody.get('/docs/json')
  while (refused.statusCode !== 503) {
    await delay(10)
    refused = await nobody.get('/docs/json')
  }
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/)
  assert.equal((await ann.get('/api/v1/todos')).statusCode, 503)
  assert.equal((await nobody.get('/health')).statusCode, 200)
  await other.end()
  for (const { statusCode } of await Promise.all(waiting)) assert.equal(statusCode, 200)
  assert.equal((await ann.get('/api/v1/todos')).statusCode, 200)
})
