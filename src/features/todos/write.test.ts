import assert from 'node:assert/strict'
import { test } from 'node:test'
import { world } from '../../../test/world.ts'

const TODOS = '/api/v1/todos'

test('a new todo comes with its place (201)', async (t) => {
  const { ann } = await world(t)
  for (const url of [TODOS, `${TODOS}/`]) {
    const answer = await ann.post(url, { text: '  Buy milk\n' })
    assert.equal(answer.statusCode, 201)
    const todo = answer.json()
    assert.equal(answer.headers.location, `${TODOS}/${todo.id}`)
    assert.equal(answer.headers.etag, '"1.1"')
    const { id, created_at, updated_at, ...rest } = todo
    assert.deepEqual(rest, { text: 'Buy milk', completed: false, owner_id: ann.id })
    assert.equal(created_at, updated_at)
    const { owner, ...same } = (await ann.get(String(answer.headers.location))).json()
    assert.deepEqual(same, todo)
    assert.equal(owner.id, ann.id)
  }
  assert.equal(
    (await ann.post(TODOS, { text: 'Done before', completed: true })).json().completed,
    true,
  )
})

test('a todo is read with its owner nested, and nothing secret of them', async (t) => {
  const { ann } = await world(t)
  const { id } = (await ann.post(TODOS, { text: 'Mine' })).json()
  const { owner } = (await ann.get(`${TODOS}/${id}`)).json()
  assert.deepEqual(owner, (await ann.get('/auth/me')).json())
  assert.deepEqual(Object.keys(owner).sort(), [
    'created_at',
    'email',
    'fname',
    'id',
    'is_admin',
    'lname',
    'updated_at',
  ])
})

test('a text of 1 to 2,000 characters after trimming is taken, whatever they are', async (t) => {
  const { ann } = await world(t)
  const texts = [
    'x',
    '𝔘'.repeat(2000),
    ` ${'a'.repeat(2000)} `,
    '<img src=x onerror=alert(1)>',
    "'; drop table todos; --",
    '\u202Eright to left',
    '👩‍👩‍👧‍👦',
    '\u0001',
  ]
  for (const text of texts) {
    const answer = await ann.post(TODOS, { text })
    assert.equal(answer.statusCode, 201, text.slice(0, 40))
    assert.equal((await ann.get(`${TODOS}/${answer.json().id}`)).json().text, text.trim())
  }
})

test('a todo with faults is refused with each of them (422)', async (t) => {
  const { ann } = await world(t)
  const { id } = (await ann.post(TODOS, { text: 'There' })).json()
  const bodies: Array<[unknown, string[]]> = [
    [{}, ['body.text']],
    [{ text: '' }, ['body.text']],
    [{ text: ' \t\n ' }, ['body.text']],
    [{ text: 'a'.repeat(2001) }, ['body.text']],
    [{ text: '𝔘'.repeat(2001) }, ['body.text']],
    [{ text: 'a\u0000b' }, ['body.text']],
    [{ text: 'half \ud83d' }, ['body.text']],
    [{ text: null }, ['body.text']],
    [{ text: 7 }, ['body.text']],
    [{ text: ['a'] }, ['body.text']],
    [{ text: { $ne: 1 } }, ['body.text']],
    [{ text: 'a', completed: 'true' }, ['body.completed']],
    [{ text: 'a', completed: 1 }, ['body.completed']],
    [{ text: 'a', completed: null }, ['body.completed']],
    [{ text: 'a', owner_id: 2, version: 9 }, ['body.owner_id', 'body.version']],
    [{ text: '', completed: 'no', extra: 1 }, ['body.completed', 'body.extra', 'body.text']],
  ]
  for (const [body, places] of bodies) {
    for (const answer of [await ann.post(TODOS, body), await ann.put(`${TODOS}/${id}`, body)]) {
      assert.equal(answer.statusCode, 422, JSON.stringify(body))
      const found = answer.json().errors.map(({ loc }: { loc: string[] }) => loc.join('.'))
      assert.deepEqual(found.sort(), places, JSON.stringify(body))
    }
  }
  assert.equal((await ann.post(TODOS, { text: 'a', id: 99 })).statusCode, 422)
  assert.equal((await ann.get(TODOS)).headers['x-total-count'], '1')
})

test('PUT replaces: what is absent is as in a new todo', async (t) => {
  const { ann } = await world(t)
  const { id, created_at } = (await ann.post(TODOS, { text: 'Old', completed: true })).json()
  const same = await ann.put(`${TODOS}/${id}/`, { id, text: ' New ', completed: true })
  assert.deepEqual([same.statusCode, same.json().text, same.json().completed], [200, 'New', true])
  const answer = await ann.put(`${TODOS}/${id}`, { text: 'New' })
  assert.equal(answer.json().completed, false)
  assert.equal(answer.json().created_at, created_at)
  const other = await ann.put(`${TODOS}/${id}`, { id: id + 1, text: 'New' })
  assert.equal(other.statusCode, 422)
  assert.deepEqual(other.json().errors[0].loc, ['body', 'id'])
  assert.equal((await ann.put(`${TODOS}/${id + 1}`, { text: 'New' })).statusCode, 404)
})

test('PATCH changes what it names and leaves the rest, in either media type', async (t) => {
  const { ann } = await world(t)
  const { id } = (await ann.post(TODOS, { text: 'Old' })).json()
  for (const type of [
    'application/json',
    'application/merge-patch+json',
    'application/merge-patch+json; charset=utf-8',
  ]) {
    const headers = { 'content-type': type }
    const ticked = await ann.patch(`${TODOS}/${id}`, { completed: true }, headers)
    assert.deepEqual(
      [ticked.statusCode, ticked.json().text, ticked.json().completed],
      [200, 'Old', true],
    )
    const unticked = await ann.patch(`${TODOS}/${id}`, { completed: false }, headers)
    assert.equal(unticked.json().completed, false)
  }
  const renamed = (await ann.patch(`${TODOS}/${id}`, { text: ' New ' })).json()
  assert.deepEqual([renamed.text, renamed.completed], ['New', false])
  for (const body of [{ text: null }, { completed: null }, { owner_id: 2 }, { id }, { text: '' }]) {
    assert.equal((await ann.patch(`${TODOS}/${id}`, body)).statusCode, 422, JSON.stringify(body))
  }
  assert.deepEqual((await ann.get(`${TODOS}?q=new`)).json()[0].text, 'New')
})

test('an empty PATCH changes nothing', async (t) => {
  const { ann } = await world(t)
  const made = await ann.post(TODOS, { text: 'Still' })
  const answer = await ann.patch(`${TODOS}/${made.json().id}`, {})
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(answer.json(), made.json())
  assert.equal(answer.headers.etag, made.headers.etag)
  const stale = await ann.patch(`${TODOS}/${made.json().id}`, {}, { 'if-match': '"9.1"' })
  assert.equal(stale.statusCode, 412)
  assert.equal((await ann.patch(`${TODOS}/999999`, {})).statusCode, 404)
})

test('a deleted todo is gone, and its id is never given again', async (t) => {
  const { ann } = await world(t)
  const { id } = (await ann.post(TODOS, { text: 'Going' })).json()
  const answer = await ann.delete(`${TODOS}/${id}`)
  assert.deepEqual([answer.statusCode, answer.body], [204, ''])
  for (const again of [await ann.delete(`${TODOS}/${id}`), await ann.get(`${TODOS}/${id}`)]) {
    assert.deepEqual([again.statusCode, again.json().detail], [404, 'Todo not found'])
  }
  assert.notEqual((await ann.post(TODOS, { text: 'Coming' })).json().id, id)
})

test("a stranger's todo is not found (404), nor an administrator's way around it", async (t) => {
  const { ann, bob, person } = await world(t)
  const admin = await person('root', { is_admin: true })
  const { id } = (await ann.post(TODOS, { text: 'Hers' })).json()
  for (const stranger of [bob, admin]) {
    const answers = [
      await stranger.get(`${TODOS}/${id}`),
      await stranger.put(`${TODOS}/${id}`, { text: 'Mine' }),
      await stranger.patch(`${TODOS}/${id}`, { text: 'Mine' }),
      await stranger.patch(`${TODOS}/${id}`, {}),
      await stranger.delete(`${TODOS}/${id}`),
    ]
    for (const answer of answers) {
      assert.deepEqual([answer.statusCode, answer.json().detail], [404, 'Todo not found'])
    }
  }
  assert.equal((await ann.get(`${TODOS}/${id}`)).json().text, 'Hers')
})
