import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { pino } from 'pino'
import { buildApp } from '../src/app.ts'
import { SqliteConnection } from '../src/db/sqlite-database.ts'
import type { Db } from '../src/db/tables.ts'
import { fromNow } from '../src/lib/time.ts'
import { until } from './server.ts'
import { signedInVisitor } from './visitor.ts'
import { type Client, type Person, world } from './world.ts'

async function sharedFile(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'todo-app-'))
  const path = join(directory, 'todo.db')
  const here = await world(t, { DATABASE_URL: `sqlite:///${path}` })
  const other = new DatabaseSync(path)
  t.after(async () => {
    other.close()
    await rm(directory, { recursive: true })
  })
  return { ...here, other, path }
}

/** Serves others for a while, in which a write comes to the lock. */
async function serveMeanwhile(nobody: Client) {
  for (let round = 0; round < 20; round++) {
    assert.equal((await nobody.get('/health')).statusCode, 200)
    await delay(20)
  }
}

test('a write waits for another process to finish its own, and the server goes on meanwhile', async (t) => {
  const { ann, nobody, other } = await sharedFile(t)
  other.exec('begin immediate')
  let isAnswered = false
  const waiting = ann.post('/api/v1/todos', { text: 'Patient' }).finally(() => {
    isAnswered = true
  })
  await serveMeanwhile(nobody)
  assert.equal(isAnswered, false)
  other.exec('rollback')
  assert.equal((await waiting).statusCode, 201)
})

test('a write that waits too long for another process is a 503, and heals by itself', async (t) => {
  const { ann, other } = await sharedFile(t)
  other.exec('begin immediate')
  const answer = await ann.post('/api/v1/todos', { text: 'Too late' })
  assert.equal(answer.statusCode, 503)
  assert.match(String(answer.headers['retry-after']), /^\d+$/)
  other.exec('rollback')
  assert.equal((await ann.post('/api/v1/todos', { text: 'In time' })).statusCode, 201)
})

test('a write waits in full, however lately another one has waited in vain', async (t) => {
  const { ann, nobody, other } = await sharedFile(t)
  other.exec('begin immediate')
  assert.equal((await ann.post('/api/v1/todos', { text: 'Too late' })).statusCode, 503)
  other.exec('rollback')
  other.exec('begin immediate')
  const waiting = ann.post('/api/v1/todos', { text: 'Patient' })
  await serveMeanwhile(nobody)
  other.exec('rollback')
  assert.equal((await waiting).statusCode, 201)
})

test('a file that is damaged under the service is a 503 that says so, for /ready too', async (t) => {
  const { ann, nobody, other, path } = await sharedFile(t)
  await ann.post('/api/v1/todos', { text: 'Before' })
  other.exec('pragma wal_checkpoint(truncate)')
  await writeFile(path, randomBytes((await stat(path)).size))
  for (const answer of [
    await ann.post('/api/v1/todos', { text: 'After' }),
    await nobody.get('/ready'),
    await ann.get('/api/v1/todos'),
  ]) {
    assert.equal(answer.statusCode, 503)
    assert.match(answer.json().detail, /^The database is damaged\./)
  }
})

test('a write that finds no room is a 503, whole, and the next one with room is done', async (t) => {
  const { ann, db } = await sharedFile(t)
  const pages = (most: number) => sql`pragma max_page_count = ${sql.lit(most)}`.execute(db)
  // One page at the least: as many as are used already.
  await pages(1)
  for (let index = 0; ; index++) {
    assert.ok(index < 100, 'the room ran out')
    const headers = { 'idempotency-key': `key-${index}` }
    const answer = await ann.post('/api/v1/todos', { text: 'x'.repeat(2000) }, headers)
    if (answer.statusCode === 201) continue
    assert.equal(answer.statusCode, 503)
    assert.match(String(answer.headers['retry-after']), /^\d+$/)
    assert.equal((await ann.get('/api/v1/todos')).headers['x-total-count'], String(index))
    await pages(10_000)
    const again = await ann.post('/api/v1/todos', { text: 'x'.repeat(2000) }, headers)
    assert.equal(again.statusCode, 201)
    assert.equal((await ann.get('/api/v1/todos')).headers['x-total-count'], String(index + 1))
    break
  }
})

test('of many writes at once that run out of room, those answered 201 are there and no others', async (t) => {
  const { ann, db } = await sharedFile(t)
  const pages = (most: number) => sql`pragma max_page_count = ${sql.lit(most)}`.execute(db)
  const textOf = (index: number) => `${index} ${'x'.repeat(500)}`
  await pages(1)
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => ann.post('/api/v1/todos', { text: textOf(index) })),
  )
  const statuses = new Set(answers.map(({ statusCode }) => statusCode))
  assert.deepEqual([...statuses].sort(), [201, 503])
  await pages(10_000)
  assert.equal((await ann.post('/api/v1/todos', { text: textOf(200) })).statusCode, 201)
  const kept = (await ann.get('/api/v1/todos?limit=100')).json<Array<{ text: string }>>()
  const acknowledged = answers.flatMap(({ statusCode }, index) =>
    statusCode === 201 ? [textOf(index)] : [],
  )
  assert.deepEqual(kept.map(({ text }) => text).sort(), [...acknowledged, textOf(200)].sort())
})

test('a write that would have had room is a 503, too, where one beside it takes it along', async (t) => {
  const { ann, db } = await sharedFile(t)
  const pages = (most: number) => sql`pragma max_page_count = ${sql.lit(most)}`.execute(db)
  const { id } = (await ann.post('/api/v1/todos', { text: 'Short' })).json()
  const statuses = new Set<number>()
  for (let round = 0; round < 40; round++) {
    await pages(10_000)
    await ann.post('/api/v1/todos', { text: 'y'.repeat(1 + ((round * 37) % 900)) })
    await pages(1)
    const text = `Round ${round}`
    const key = (each: number) => ({ 'idempotency-key': `${round}-${each}`.padEnd(200, 'k') })
    const [changed] = await Promise.all([
      ann.patch(`/api/v1/todos/${id}`, { text }),
      ...[1, 2, 3, 4].map((each) =>
        ann.post('/api/v1/todos', { text: 'x'.repeat(each * 150) }, key(each)),
      ),
    ])
    statuses.add(changed.statusCode)
    const isThere = (await ann.get(`/api/v1/todos/${id}`)).json().text === text
    assert.equal(changed.statusCode === 200, isThere)
  }
  assert.deepEqual([...statuses].sort(), [200, 503])
})

test('one of many writes at once that is refused takes none of the others with it', async (t) => {
  const { ann, nobody } = await sharedFile(t)
  const person = {
    email: 'same@example.com',
    password: 'rain on tin roofs',
    fname: 'A',
    lname: 'B',
  }
  const [first, second, ...todos] = await Promise.all([
    nobody.post('/api/v1/users/signup', person),
    nobody.post('/api/v1/users/signup', person),
    ...Array.from({ length: 20 }, (_, index) => ann.post('/api/v1/todos', { text: `${index}` })),
  ])
  assert.deepEqual([first?.statusCode, second?.statusCode].sort(), [201, 409])
  for (const { statusCode } of todos) assert.equal(statusCode, 201)
  assert.equal((await ann.get('/api/v1/todos')).headers['x-total-count'], '20')
})

/** Has the disk fail once, at this statement. */
function failOnce(t: TestContext, statement: string) {
  const run = SqliteConnection.prototype.run
  const faulty = t.mock.method(
    SqliteConnection.prototype,
    'run',
    function (this: SqliteConnection, text: string, parameters: readonly unknown[]) {
      if (text !== statement) return run.call(this, text, parameters)
      faulty.mock.restore()
      throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
    },
  )
}

for (const statement of ['savepoint member', 'rollback to member', 'release member']) {
  test(`a disk that fails at "${statement}" is a 503, and the next writes are done`, async (t) => {
    const { ann } = await sharedFile(t)
    const add = (text: string, key: string) =>
      ann.post('/api/v1/todos', { text }, { 'idempotency-key': key })
    await add('First', 'used')
    failOnce(t, statement)
    const [beside, failed, after] = await Promise.all([
      ann.post('/api/v1/todos', { text: 'Beside' }),
      add('Failed', 'used'),
      add('After', 'new'),
    ])
    assert.equal(failed.statusCode, 503)
    assert.equal(after.statusCode, 201)
    assert.equal((await add('Next', 'next')).statusCode, 201)
    const texts = (await ann.get('/api/v1/todos?sort=id'))
      .json<Array<{ text: string }>>()
      .map(({ text }) => text)
    const acknowledged = beside.statusCode === 201 ? ['Beside'] : []
    assert.deepEqual(texts, ['First', ...acknowledged, 'After', 'Next'])
  })
}

test('a transaction that cannot be taken back leaves nothing, nor does what shares its commit', async (t) => {
  const { ann, bob, db } = await sharedFile(t)
  failOnce(t, 'rollback to member')
  const rename = (db: Db, { id }: Person) =>
    db.updateTable('users').set({ fname: 'Other' }).where('id', '=', id).execute()
  const [beside, failed] = await Promise.allSettled([
    rename(db, ann),
    db.transaction().execute(async (db) => {
      await rename(db, bob)
      throw new Error('not to be')
    }),
  ])
  assert.deepEqual([beside.status, failed.status], ['rejected', 'rejected'])
  for (const person of [ann, bob]) {
    const { fname } = (await person.get('/auth/me')).json()
    assert.notEqual(fname, 'Other')
  }
})

test('a disk that fails where a read ends spoils no later one', async (t) => {
  const { ann } = await sharedFile(t)
  failOnce(t, 'commit')
  for (let round = 0; round < 3; round++) {
    assert.equal((await ann.get('/api/v1/todos')).statusCode, 200)
  }
  assert.equal((await ann.post('/api/v1/todos', { text: 'After' })).statusCode, 201)
  assert.equal((await ann.get('/api/v1/todos')).headers['x-total-count'], '1')
})

test('a write that waits too long for another one of its process is a 503', async (t) => {
  const { ann, db } = await sharedFile(t)
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const other = db.transaction().execute(() => held)
  const writes = ['One', 'Two'].map((text) => ann.post('/api/v1/todos', { text }))
  for (const answer of await Promise.all(writes)) {
    assert.equal(answer.statusCode, 503)
    assert.match(String(answer.headers['retry-after']), /^\d+$/)
  }
  letGo()
  await other
  assert.equal((await ann.post('/api/v1/todos', { text: 'In time' })).statusCode, 201)
})

test('many that wait for another process wait together, not one after the other', async (t) => {
  const { ann, other } = await sharedFile(t)
  other.exec('begin immediate')
  const writes = Array.from({ length: 30 }, (_, index) =>
    ann.post('/api/v1/todos', { text: `Write ${index}` }),
  )
  // Each by itself would wait five seconds: more than the time limit of a test.
  for (const { statusCode } of await Promise.all(writes)) assert.equal(statusCode, 503)
  assert.equal((await ann.get('/api/v1/todos')).headers['x-total-count'], '0')
  other.exec('rollback')
  assert.equal((await ann.post('/api/v1/todos', { text: 'In time' })).statusCode, 201)
})

/** A browser whose last use was noted ten minutes ago, with what it makes the service do. */
async function restedBrowser(t: TestContext) {
  const here = await sharedFile(t)
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line) => lines.push(line) })
  const app = await buildApp(here.config, here.db, logger)
  t.after(() => app.close())
  const browser = await signedInVisitor({ ...here, app })
  const rest = (seconds: number) =>
    here.db
      .updateTable('sessions')
      .set({ last_used_at: fromNow(-seconds) })
      .where('cookie_digest', 'is not', null)
      .execute()
  await rest(600)
  return {
    ...here,
    browser,
    /** How often the noting of its use was tried. */
    tries: () =>
      here.statements().filter(({ sql }) => sql.startsWith('update "sessions"')).length - 1,
    warnings: () => lines.map((line) => JSON.parse(line).msg),
    isNoted: async () => {
      const { last_used_at } = await here.db
        .selectFrom('sessions')
        .select('last_used_at')
        .where('cookie_digest', 'is not', null)
        .executeTakeFirstOrThrow()
      return last_used_at > fromNow(-300)
    },
  }
}

test('a browser that rested is served while another process has the lock, and its use is noted after', async (t) => {
  const { other, browser, tries, isNoted } = await restedBrowser(t)
  other.exec('begin immediate')
  const began = performance.now()
  for (let round = 0; round < 5; round++) {
    assert.equal((await browser.get('/home')).statusCode, 200)
  }
  assert.ok(performance.now() - began < 4500, 'none waited for the lock')
  assert.equal(await isNoted(), false)
  other.exec('rollback')
  await until(isNoted, () => 'its use was noted')
  assert.equal(tries(), 1)
})

test('a browser that rested is served where its use cannot be noted, after few tries', async (t) => {
  const { db, browser, tries, warnings, isNoted } = await restedBrowser(t)
  await sql`create trigger refusal before update on sessions
    begin select raise(abort, 'no'); end`.execute(db)
  for (let round = 0; round < 10; round++) {
    assert.equal((await browser.get('/home')).statusCode, 200)
  }
  assert.ok(tries() >= 1 && tries() <= 5, `${tries()} tries`)
  assert.deepEqual(
    warnings(),
    Array(tries()).fill('could not note the use of a session; trying again with a later request'),
  )
  await sql`drop trigger refusal`.execute(db)
  const isNotedAfterVisit = async () => {
    assert.equal((await browser.get('/home')).statusCode, 200)
    return isNoted()
  }
  await until(isNotedAfterVisit, () => 'its use was noted')
})
