import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { world } from './world.ts'

async function sharedFile(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'todo-app-'))
  const path = join(directory, 'todo.db')
  const here = await world(t, { DATABASE_URL: `sqlite:///${path}` })
  const other = new DatabaseSync(path)
  t.after(async () => {
    other.close()
    await rm(directory, { recursive: true })
  })
  return { ...here, other }
}

test('a write waits for another process to finish its own, and the server goes on meanwhile', async (t) => {
  const { ann, nobody, other } = await sharedFile(t)
  other.exec('begin immediate')
  let isAnswered = false
  const waiting = ann.post('/api/v1/todos', { text: 'Patient' }).finally(() => {
    isAnswered = true
  })
  for (let round = 0; round < 20; round++) {
    assert.equal((await nobody.get('/health')).statusCode, 200)
  }
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
