import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { Value } from 'typebox/value'
import { migrations } from '../src/db/migrations/index.ts'
import { open } from '../src/db/open.ts'
import { Tokens } from '../src/features/sessions/schema.ts'
import { installation } from './command.ts'
import { absent, startHaproxy, startPgbouncer } from './poolers.ts'
import { type Server, startServer } from './server.ts'
import { freshDatabase, isPostgresql, PASSWORD } from './world.ts'

const tour = fileURLToPath(new URL('./tour.sh', import.meta.url))
const alone = !isPostgresql && 'many processes are for PostgreSQL'
const noCurl = spawnSync('curl', ['--version']).status !== 0 && 'this machine has no curl'
const noHaproxy = alone || noCurl || absent('haproxy')
const noPgbouncer = noHaproxy || absent('pgbouncer')

/** What two replicas have in common: the database and the key. Nothing else. */
async function common(t: TestContext): Promise<{ DATABASE_URL: string } & Record<string, string>> {
  const { url, drop } = await freshDatabase()
  t.after(drop)
  return {
    DATABASE_URL: url,
    SECRET_KEY: 'the one key of both of the replicas',
    WEB_CONCURRENCY: '1',
    PROXY_HEADERS: '1',
  }
}

const startTwo = (t: TestContext, variables: Record<string, string>) =>
  Promise.all([startServer(t, variables), startServer(t, variables)])

const answered = ({ output }: Server) =>
  output()
    .split('\n')
    .filter((line) => line.includes('"msg":"answered"') && !line.includes('"path":"/ready"')).length

async function takeTour(url: string): Promise<void> {
  const { stdout } = await promisify(execFile)('bash', [tour, url])
  assert.match(stdout, /The tour is done\.\n$/)
}

test('two replicas that start at once on an empty database: one migrates it, both serve', {
  skip: alone,
}, async (t) => {
  const variables = await common(t)
  const replicas = await startTwo(t, variables)
  const migrating = replicas.filter(({ output }) => output().includes('migrated the database'))
  assert.equal(migrating.length, 1)
  for (const { url } of replicas) assert.equal((await fetch(`${url}/ready`)).status, 200)

  const pool = { connections: 1, connectTimeout: 3000, statementTimeout: 10_000 }
  const db = await open(variables.DATABASE_URL, { pool, onConnectionLost: () => {} })
  const { rows } = await sql<{
    name: string
  }>`select name from kysely_migration order by name`.execute(db)
  await db.destroy()
  assert.deepEqual(
    rows.map(({ name }) => name),
    Object.keys(migrations),
  )
})

test('two replicas behind HAProxy are one service: the tour passes while they take turns', {
  skip: noHaproxy,
}, async (t) => {
  const replicas = await startTwo(t, await common(t))
  const url = await startHaproxy(
    t,
    replicas.map((replica) => replica.url),
  )
  await takeTour(url)
  const [one, two] = replicas.map(answered)
  assert.ok(one && two && Math.abs(one - two) <= 1, `they took turns: ${one} and ${two}`)
})

test('an attempt, a repeated request and a spent token at one replica count at the other', {
  skip: alone,
}, async (t) => {
  const [one, two] = await startTwo(t, { ...(await common(t)), SIGN_IN_FAILURES: '2' })
  const post = (url: string, body: string | URLSearchParams, headers = {}) =>
    fetch(url, { method: 'POST', body, headers })
  const json = { 'content-type': 'application/json' }
  const ann = { email: 'ann@example.com', password: PASSWORD, fname: 'Ann', lname: 'Archer' }
  assert.equal(
    (await post(`${one.url}/api/v1/users/signup`, JSON.stringify(ann), json)).status,
    201,
  )
  const token = (server: Server, fields: Record<string, string>) =>
    post(`${server.url}/auth/token`, new URLSearchParams(fields))

  const pair = Value.Parse(
    Tokens,
    await (await token(two, { username: ann.email, password: PASSWORD })).json(),
  )
  const headers = { ...json, authorization: `Bearer ${pair.access_token}`, 'idempotency-key': 'k' }
  const answers = await Promise.all(
    [one, two].map((server) => post(`${server.url}/api/v1/todos`, '{"text":"once"}', headers)),
  )
  const statuses = answers.map(({ status }) => status).sort()
  assert.ok(['201,201', '201,409'].includes(String(statuses)), String(statuses))
  const list = await fetch(`${two.url}/api/v1/todos`, { headers })
  assert.equal(list.headers.get('x-total-count'), '1')

  const spend = { grant_type: 'refresh_token', refresh_token: pair.refresh_token }
  assert.equal((await token(one, spend)).status, 200)
  assert.equal((await token(two, spend)).status, 401)
  assert.equal((await fetch(`${one.url}/auth/me`, { headers })).status, 401, 'the family has ended')

  const wrong = { username: ann.email, password: 'wrong' }
  assert.equal((await token(one, wrong)).status, 401)
  assert.equal((await token(two, wrong)).status, 401)
  for (const server of [one, two]) assert.equal((await token(server, wrong)).status, 429)
})

test('they do so through PgBouncer too, whose few connections change hands at every transaction', {
  skip: noPgbouncer,
}, async (t) => {
  const variables = await common(t)
  const DATABASE_URL = await startPgbouncer(t, variables.DATABASE_URL)
  const pooled = { ...variables, DATABASE_URL, DATABASE_TRANSACTION_POOLING: '1' }
  const replicas = await startTwo(t, pooled)
  const url = await startHaproxy(
    t,
    replicas.map((replica) => replica.url),
  )
  // Many at once, so that statements of one client run on connections that others used.
  await Promise.all(Array.from({ length: 6 }, () => takeTour(url)))
  for (const { output } of replicas) assert.doesNotMatch(output(), /"level":50/)
})

test('a start through PgBouncer without the option for it names the option', {
  skip: noPgbouncer,
}, async (t) => {
  const { todo, variables } = await installation(t)
  const DATABASE_URL = await startPgbouncer(t, variables.DATABASE_URL ?? '')
  const { code, stderr } = await todo([], { variables: { DATABASE_URL, WEB_CONCURRENCY: '1' } })
  assert.match(
    stderr,
    /unsupported startup parameter: \w+\. Behind PgBouncer set DATABASE_TRANSACTION_POOLING=1\.\n$/,
  )
  assert.equal(code, 1)
})

/**
 * Reads as a browser does: once more when a connection that was kept open closes without an answer
 * (RFC 9112 §9.3.1). HAProxy does so when the replica's end of it closes at that very moment.
 */
const read = (url: string): Promise<Response> => {
  const get = () => fetch(url, { signal: AbortSignal.timeout(10_000) })
  return get().catch((error: unknown) => {
    const { cause } = error instanceof TypeError ? error : {}
    if (cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_SOCKET') return get()
    throw error
  })
}

test('one replica is taken away while requests go on: HAProxy loses none', {
  skip: noHaproxy,
}, async (t) => {
  const [one, two] = await startTwo(t, await common(t))
  const url = await startHaproxy(t, [one.url, two.url])
  const statuses = new Map<number, number>()
  let stopped = false
  const clients = Array.from({ length: 4 }, async () => {
    while (!stopped) {
      const { status } = await read(`${url}/login`)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  while (answered(one) < 20) await delay(50)
  process.kill(one.pid, 'SIGTERM')
  assert.equal(await one.ended, 0)
  const before = answered(two)
  while (answered(two) < before + 20) await delay(50)
  stopped = true
  await Promise.all(clients)
  assert.deepEqual([...statuses.keys()], [200])
})
