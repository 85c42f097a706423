import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { blockTodos, waitingForLocks } from '../../../test/locks.ts'
import { signedInVisitor } from '../../../test/visitor.ts'
import { isPostgresql, type Person, world } from '../../../test/world.ts'

const TODOS = '/api/v1/todos'
const key = (value: string) => ({ 'idempotency-key': value })
const total = async (person: Person) => Number((await person.get(TODOS)).headers['x-total-count'])

test('the same key and body gets the first answer again, and makes one todo', async (t) => {
  const { ann } = await world(t)
  const first = await ann.post(TODOS, { text: 'Once' }, key('one'))
  await ann.patch(String(first.headers.location), { text: 'Changed since' })
  const again = await ann.post(TODOS, { text: 'Once' }, key('one'))
  assert.deepEqual([again.statusCode, again.json()], [201, first.json()])
  assert.equal(again.headers.location, first.headers.location)
  assert.equal(again.headers.etag, first.headers.etag)
  assert.equal(await total(ann), 1)
})

test('a repeat has the entity tag of the first answer, though the owner has changed since', async (t) => {
  const { ann, db } = await world(t)
  const create = () => ann.post(TODOS, { text: 'Once' }, key('one'))
  const first = await create()
  await ann.patch('/auth/me', { fname: 'Anna' })
  const again = await create()
  assert.deepEqual([again.body, again.headers.etag], [first.body, first.headers.etag])

  // As earlier versions kept it.
  const { answer } = await db
    .selectFrom('idempotency_keys')
    .select('answer')
    .executeTakeFirstOrThrow()
  const { owner_version, ...older } = JSON.parse(answer)
  assert.equal(typeof owner_version, 'number')
  await db
    .updateTable('idempotency_keys')
    .set({ answer: JSON.stringify(older) })
    .execute()
  const read = await create()
  assert.deepEqual([read.statusCode, read.body], [201, first.body])
  assert.match(String(read.headers.etag), /^"1\.\d+"$/)
})

test('the same key with another body is refused and changes nothing (422)', async (t) => {
  const { ann } = await world(t)
  await ann.post(TODOS, { text: 'Once' }, key('one'))
  const answer = await ann.post(TODOS, { text: 'Twice' }, key('one'))
  assert.equal(answer.statusCode, 422)
  assert.deepEqual(answer.json().errors[0].loc, ['header', 'idempotency-key'])
  assert.equal(await total(ann), 1)
})

test('the same body in another order of its members is the same request', async (t) => {
  const { ann } = await world(t)
  const first = await ann.post(TODOS, { text: 'Once', completed: true }, key('one'))
  const again = await ann.post(TODOS, { completed: true, text: 'Once' }, key('one'))
  assert.deepEqual([again.statusCode, again.json()], [201, first.json()])
  assert.equal(await total(ann), 1)
})

test('the same key of another user is another key', async (t) => {
  const { ann, bob } = await world(t)
  const hers = await ann.post(TODOS, { text: 'Same' }, key('one'))
  const his = await bob.post(TODOS, { text: 'Same' }, key('one'))
  assert.equal(his.json().owner_id, bob.id)
  assert.notEqual(his.json().id, hers.json().id)
})

test('of many requests with one key at once, one makes the todo', async (t) => {
  const { ann } = await world(t)
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => ann.post(TODOS, { text: 'Once' }, key('one'))),
  )
  const made = answers
    .filter(({ statusCode }) => statusCode === 201)
    .map((answer) => answer.json().id)
  assert.ok(made.length >= 1 && new Set(made).size === 1)
  assert.ok(answers.every(({ statusCode }) => statusCode === 201 || statusCode === 409))
  assert.equal(await total(ann), 1)
})

const skip = !isPostgresql && 'SQLite has one writer at a time, so a repeat waits'

test('a key whose first request still runs is refused for now (409)', { skip }, async (t) => {
  const { ann, config } = await world(t)
  const unblock = await blockTodos(config.databaseUrl)
  const tries = [1, 2].map(() => ann.post(TODOS, { text: 'Once' }, key('one')))
  assert.equal((await Promise.race(tries)).statusCode, 409)
  await unblock()
  const answers = await Promise.all(tries)
  const made = answers.find(({ statusCode }) => statusCode === 201)?.json()
  assert.equal((await ann.post(TODOS, { text: 'Once' }, key('one'))).json().id, made.id)
  assert.equal(await total(ann), 1)
})

test('a key whose first request died is free, also for another body', { skip }, async (t) => {
  const { ann, config, db } = await world(t)
  const unblock = await blockTodos(config.databaseUrl)
  const first = ann.post(TODOS, { text: 'Died' }, key('one'))
  for (let ended = 0; ended === 0; ) {
    const { rows } = await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`.execute(db)
    ended = rows.length
  }
  await unblock()
  assert.equal((await first).statusCode, 503)
  const second = await ann.post(TODOS, { text: 'Lives' }, key('one'))
  assert.equal(second.statusCode, 201)
  assert.equal((await ann.post(TODOS, { text: 'Lives' }, key('one'))).json().id, second.json().id)
  assert.equal((await ann.post(TODOS, { text: 'Died' }, key('one'))).statusCode, 422)
  assert.equal(await total(ann), 1)
})

test('after 24 hours the key is a new one', async (t) => {
  const { ann, db } = await world(t)
  const first = await ann.post(TODOS, { text: 'Once' }, key('one'))
  const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000 - 1000).toISOString()
  await db.updateTable('idempotency_keys').set({ created_at: yesterday }).execute()
  const again = await ann.post(TODOS, { text: 'Other' }, key('one'))
  assert.equal(again.statusCode, 201)
  assert.notEqual(again.json().id, first.json().id)
  assert.equal((await ann.post(TODOS, { text: 'Other' }, key('one'))).json().id, again.json().id)
})

test('a refused request leaves its key free', async (t) => {
  const { ann } = await world(t)
  assert.equal((await ann.post(TODOS, { text: '' }, key('one'))).statusCode, 422)
  assert.equal((await ann.post(TODOS, { text: 'Right now' }, key('one'))).statusCode, 201)
})

test('a key that is none is refused (422)', async (t) => {
  const { ann } = await world(t)
  for (const bad of ['', 'two words', 'ä', 'x'.repeat(256)]) {
    const answer = await ann.post(TODOS, { text: 'Once' }, key(bad))
    assert.equal(answer.statusCode, 422, bad)
    assert.deepEqual(answer.json().errors[0].loc, ['header', 'idempotency-key'])
  }
  assert.equal((await ann.post(TODOS, { text: 'Once' }, key('x'.repeat(255)))).statusCode, 201)
})

test('a form that is sent twice at once makes one todo, and both answers say so', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const keyOn = async () => {
    const [, key = ''] = /name="key" value="([^"]+)"/.exec((await browser.get('/home')).body) ?? []
    assert.notEqual(key, '')
    return key
  }
  const form = { text: 'Twice', key: await keyOn() }
  const unblock = isPostgresql ? await blockTodos(here.config.databaseUrl) : undefined
  const sent = [1, 2].map(() => browser.submit('/home/todos', form))
  if (unblock) {
    await waitingForLocks(here.db, 2)
    await unblock()
  }
  for (const answer of await Promise.all(sent)) {
    assert.deepEqual([answer.statusCode, answer.headers.location], [302, '/home'])
  }
  assert.equal(await total(here.ann), 1)
  await browser.submit('/home/todos', { ...form, text: 'Another text, after Back' })
  assert.equal(await total(here.ann), 2)
  await browser.submit('/home/todos', { ...form, key: await keyOn() })
  assert.equal(await total(here.ann), 3)
})
