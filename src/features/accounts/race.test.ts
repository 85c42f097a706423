import assert from 'node:assert/strict'
import { test } from 'node:test'
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
