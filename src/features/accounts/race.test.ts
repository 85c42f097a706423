import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { PASSWORD, world } from '../../../test/world.ts'

test('a request of an account that is erased meanwhile is refused, never a failure of the server', async (t) => {
  const { ann } = await world(t)
  const writes = Array.from({ length: 20 }, (_, index) =>
    ann.post('/api/v1/todos', { text: `Todo ${index}` }, { 'idempotency-key': `key-${index}` }),
  )
  const erased = await ann.delete('/auth/me', {}, { password: PASSWORD })
  assert.equal(erased.statusCode, 204)
  for (const { statusCode } of await Promise.all(writes)) {
    assert.ok([201, 401, 409].includes(statusCode), String(statusCode))
  }
  assert.equal((await ann.get('/auth/me')).statusCode, 401)
})

test('an account is erased while its clients go on writing, and nothing is left of it', async (t) => {
  const { ann, db } = await world(t, { DATABASE_POOL_SIZE: '20', OVERLOAD_DELAY: '60000' })
  const { id } = (await ann.post('/api/v1/todos', { text: 'First' })).json()
  const seen = new Set<number>()
  const clients = Array.from({ length: 16 }, async (_, client) => {
    for (let turn = 0; !seen.has(401) && turn < 500; turn++) {
      const text = `${client} ${turn}`
      const answer = await [
        () => ann.post('/api/v1/todos', { text }),
        () => ann.post('/api/v1/todos', { text }, { 'idempotency-key': `${client}.${turn}` }),
        () => ann.patch(`/api/v1/todos/${id}`, { completed: turn % 2 === 0 }),
      ][(client + turn) % 3]?.()
      seen.add(answer?.statusCode ?? 0)
    }
  })
  const erased = await ann.delete('/auth/me', {}, { password: PASSWORD })
  assert.equal(erased.statusCode, 204)
  await Promise.all(clients)
  // Who meets the erasing in another order may be told to come again.
  for (const status of seen) assert.ok([200, 201, 401, 404, 409, 503].includes(status), `${status}`)
  for (const table of ['todos', 'todo_counts', 'idempotency_keys', 'sessions'] as const) {
    const owner = table.startsWith('todo') ? 'owner_id' : 'user_id'
    const { rows } = await sql`
      select 1 from ${sql.table(table)} where ${sql.ref(owner)} = ${ann.id}`.execute(db)
    assert.equal(rows.length, 0, table)
  }
})
