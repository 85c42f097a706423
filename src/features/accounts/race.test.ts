import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD, world } from '../../../test/world.ts'

test('of many accounts that take one free e-mail address at once, one gets it (the rest 409)', async (t) => {
  const { ann, bob, person } = await world(t)
  const people = [ann, bob, await person('cem'), await person('dot')]
  const answers = await Promise.all(
    people.map((each) =>
      each.patch('/auth/me', { email: 'Wanted@example.com', current_password: PASSWORD }),
    ),
  )
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  assert.deepEqual(statuses, [200, 409, 409, 409])
})

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
