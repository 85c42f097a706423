import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
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
