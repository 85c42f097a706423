import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { visitor } from '../../../test/visitor.ts'
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
  const { ann, db } = await world(t, { DATABASE_POOL_SIZE: '20' })
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

test('no session that a sign-in with the old password begins outlives the new one', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1000' })
  const { ann, nobody } = here
  const credentials = { username: ann.email, password: PASSWORD }
  let isChanged = false
  const tokens: string[] = []
  const { promise: firstToken, resolve: begin } = Promise.withResolvers<void>()
  const program = async () => {
    while (!isChanged) {
      const answer = await nobody.form('/auth/token', credentials)
      if (answer.statusCode === 200) tokens.push(answer.json().access_token)
      else assert.equal(answer.statusCode, 401)
      begin()
    }
  }
  const browsers = Array.from({ length: 8 }, () => visitor(here))
  const password = 'rain on other roofs'
  const change = async () => {
    await firstToken
    const answer = await ann.patch('/auth/me', { password, current_password: PASSWORD })
    assert.equal(answer.statusCode, 200)
    isChanged = true
  }
  await Promise.all([
    program(),
    program(),
    change(),
    ...browsers.map((browser) => browser.submit('/login', credentials)),
  ])
  assert.ok(tokens.length > 0)
  for (const token of tokens) {
    const answer = await nobody.get('/auth/me', { authorization: `Bearer ${token}` })
    assert.equal(answer.statusCode, 401)
  }
  for (const browser of browsers) assert.equal((await browser.get('/account')).statusCode, 302)
  assert.equal((await ann.get('/auth/me')).statusCode, 200)
  assert.equal((await nobody.form('/auth/token', { ...credentials, password })).statusCode, 200)
})

test('of two who change the password at once with the same old one, one is refused (422)', async (t) => {
  const { ann, nobody } = await world(t)
  const passwords = ['rain on red roofs', 'rain on blue roofs']
  const answers = await Promise.all(
    passwords.map((password) => ann.patch('/auth/me', { password, current_password: PASSWORD })),
  )
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).toSorted(), [200, 422])
  const chosen = passwords.find((_, index) => answers[index]?.statusCode === 200)
  for (const password of passwords) {
    const { statusCode } = await nobody.form('/auth/token', { username: ann.email, password })
    assert.equal(statusCode, password === chosen ? 200 : 401)
  }
})
