import assert from 'node:assert/strict'
import { test } from 'node:test'
import { world } from '../../../test/world.ts'

const USERS = '/api/v1/users'
const TODOS = '/api/v1/todos'
const MISSING = 2 ** 40

test('a user reads their own profile with their todos', async (t) => {
  const { ann, bob } = await world(t)
  const made = (await ann.post(TODOS, { text: 'Buy milk' })).json()
  const done = (await ann.post(TODOS, { text: 'Sleep', completed: true })).json()
  await bob.post(TODOS, { text: 'Not hers' })
  const me = (await ann.get('/auth/me')).json()
  for (const url of [`${USERS}/${ann.id}`, `${USERS}/${ann.id}/`]) {
    const answer = await ann.get(url)
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(answer.json(), { ...me, todos: [made, done], todos_total: 2 })
    assert.doesNotMatch(answer.body, /password|hash|argon2|version|admin_since|_key/)
  }
})

test('a profile without todos has an empty list', async (t) => {
  const { ann } = await world(t)
  const { todos, todos_total } = (await ann.get(`${USERS}/${ann.id}`)).json()
  assert.deepEqual([todos, todos_total], [[], 0])
})

test('an administrator reads anyone, and what they read is the same', async (t) => {
  const { ann, person } = await world(t)
  await ann.post(TODOS, { text: 'Buy milk' })
  const admin = await person('root', { is_admin: true })
  const seen = await admin.get(`${USERS}/${ann.id}`)
  assert.equal(seen.statusCode, 200)
  assert.deepEqual(seen.json(), (await ann.get(`${USERS}/${ann.id}`)).json())
  const own = (await admin.get(`${USERS}/${admin.id}`)).json()
  assert.deepEqual([own.id, own.is_admin, own.todos], [admin.id, true, []])
})

test('another user and one that is missing are the same to a stranger (404)', async (t) => {
  const { ann, bob, person } = await world(t)
  const admin = await person('root', { is_admin: true })
  const refusalFor = async (id: number) => {
    const answer = await bob.get(`${USERS}/${id}`)
    const { request_id, instance, ...body } = answer.json()
    assert.equal(instance, `${USERS}/${id}`)
    return { status: answer.statusCode, body }
  }
  const missing = await refusalFor(MISSING)
  assert.equal(missing.status, 404)
  assert.equal(missing.body.detail, 'User not found')
  for (const { id } of [ann, admin]) assert.deepEqual(await refusalFor(id), missing)
})

test('a missing user is not found by an administrator either (404)', async (t) => {
  const { person } = await world(t)
  const admin = await person('root', { is_admin: true })
  const answer = await admin.get(`${USERS}/${MISSING}`)
  assert.equal(answer.statusCode, 404)
  assert.equal(answer.json().detail, 'User not found')
})

test('an erased user is not found (404)', async (t) => {
  const { ann, person } = await world(t)
  const admin = await person('root', { is_admin: true })
  assert.equal((await admin.get(`${USERS}/${ann.id}`)).statusCode, 200)
  await ann.delete('/auth/me', {}, { password: 'rain on tin roofs' })
  assert.equal((await admin.get(`${USERS}/${ann.id}`)).statusCode, 404)
})

test('nobody reads a profile (401), whether there is one or not', async (t) => {
  const { ann, nobody } = await world(t)
  for (const id of [ann.id, MISSING])
    assert.equal((await nobody.get(`${USERS}/${id}`)).statusCode, 401)
})

test('an id that is no id is a 422 at its place', async (t) => {
  const { ann } = await world(t)
  for (const id of ['me', '0', '-1', '1.5', '9007199254740993', `${ann.id}x`]) {
    const answer = await ann.get(`${USERS}/${id}`)
    assert.equal(answer.statusCode, 422, id)
    assert.deepEqual(answer.json().errors[0].loc, ['path', 'id'], id)
  }
})

test('a profile holds the first 100 todos and counts them all', async (t) => {
  const { ann } = await world(t)
  const ids: number[] = []
  for (let number = 1; number <= 103; number++)
    ids.push((await ann.post(TODOS, { text: `Todo ${number}` })).json().id)
  const { todos, todos_total } = (await ann.get(`${USERS}/${ann.id}`)).json()
  assert.equal(todos_total, 103)
  assert.deepEqual(
    todos.map(({ id }: { id: number }) => id),
    ids.slice(0, 100),
  )
})
