import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableNames } from '../../src/db/tables.ts'
import { PASSWORD, type World, world } from '../world.ts'

const TODOS = '/api/v1/todos'

const contents = async ({ db }: World) =>
  Promise.all(tableNames.map((table) => db.selectFrom(table).selectAll().execute()))

test('a number beyond every limit, infinity included, is refused (422)', async (t) => {
  const { ann } = await world(t)
  for (const value of ['1e400', '-1e400', '9007199254740992', 'Infinity', 'NaN']) {
    for (const field of ['offset', 'limit', 'user_id']) {
      assert.equal(
        (await ann.get(`${TODOS}?${field}=${value}`)).statusCode,
        422,
        `${field}=${value}`,
      )
    }
    assert.equal((await ann.get(`${TODOS}/${value}`)).statusCode, 422, value)
    const put = await ann.send(`${TODOS}/1`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: `{"id": ${value}, "text": "A"}`,
    })
    assert.ok([400, 422].includes(put.statusCode), value)
  }
})

test('an integer in a path or a query is written in decimal digits, and nothing else is one (422)', async (t) => {
  const { ann } = await world(t)
  const { id } = (await ann.post(TODOS, { text: 'One' })).json()
  for (const value of [
    '0x1',
    '1e0',
    '1.0',
    '.1e1',
    '%201',
    '1%20',
    '0b1',
    '%2B1',
    '1_0',
    '%EF%BC%91',
    '',
  ]) {
    for (const url of [`${TODOS}?limit=${value}`, `${TODOS}?offset=0x${value}&limit=${value}`]) {
      const answer = await ann.get(url)
      assert.equal(answer.statusCode, 422, url)
      const [fault] = answer.json().errors.slice(-1)
      assert.deepEqual(fault, {
        loc: ['query', 'limit'],
        msg: 'must be an integer',
        type: 'wrong_type',
      })
    }
    if (value === '') continue
    const read = await ann.get(`${TODOS}/${value}`)
    assert.equal(read.statusCode, 422, value)
    assert.deepEqual(read.json().errors[0].loc, ['path', 'id'])
  }
  for (const value of [id, `0${id}`]) {
    assert.equal((await ann.get(`${TODOS}/${value}`)).json().id, id, value)
  }
  assert.equal((await ann.get(`${TODOS}?limit=1${'0'.repeat(400)}`)).statusCode, 422)
  assert.equal((await ann.get(`${TODOS}?limit=-1`)).json().errors[0].type, 'too_small')
})

/** What only the service decides. */
const DECIDED = {
  id: 1,
  owner_id: 1,
  user_id: 1,
  is_admin: true,
  admin_since: '2026-01-01T00:00:00.000Z',
  version: 99,
  password_hash: '$argon2id$',
  email_key: 'a@example.com',
  created_at: '2026-01-01T00:00:00.000Z',
  completed_at: '2026-01-01T00:00:00.000Z',
  role: 'admin',
  owner: { id: 1 },
} as const

test('no route takes a field that only the service decides (422), and nothing is written', async (t) => {
  const here = await world(t)
  const { ann, bob } = here
  const { id } = (await bob.post(TODOS, { text: 'His' })).json()
  const routes = [
    ['POST', TODOS, { text: 'A' }],
    ['PUT', `${TODOS}/${id}`, { text: 'A' }],
    ['PATCH', `${TODOS}/${id}`, { text: 'A' }],
    ['PATCH', '/auth/me', { fname: 'A' }],
    [
      'POST',
      '/api/v1/users/signup',
      { email: 'e@example.com', password: PASSWORD, fname: 'E', lname: 'E' },
    ],
  ] as const
  const before = await contents(here)
  for (const [method, url, body] of routes) {
    for (const [field, value] of Object.entries(DECIDED)) {
      const answer = await bob.send(url, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, [field]: field === 'id' ? id + 1 : value }),
      })
      const what = `${method} ${url} ${field}`
      assert.equal(answer.statusCode, 422, what)
      assert.deepEqual(answer.json().errors[0].loc, ['body', field], what)
    }
  }
  assert.deepEqual(await contents(here), before)
  assert.equal((await ann.get('/auth/me')).json().is_admin, false)
})

test('a body cannot reach the prototype of objects (400)', async (t) => {
  const { ann, nobody } = await world(t)
  for (const body of [
    '{"text":"A","__proto__":{"is_admin":true}}',
    '{"text":"A","constructor":{"prototype":{"is_admin":true}}}',
    '{"text":"A","\\u005f_proto__":{"is_admin":true}}',
  ]) {
    const headers = { 'content-type': 'application/json' }
    const answer = await ann.send(TODOS, { method: 'POST', headers, body })
    assert.equal(answer.statusCode, 400, body)
  }
  for (const field of ['__proto__', 'constructor', '__proto__[is_admin]', 'toString']) {
    const form = await nobody.form('/auth/token', { username: 'a', password: 'b', [field]: '1' })
    assert.equal(form.statusCode, 422, field)
    assert.equal((await ann.get(`${TODOS}?${encodeURIComponent(field)}=1`)).statusCode, 422, field)
  }
  assert.equal(Reflect.get({}, 'is_admin'), undefined)
})

test('a field that comes twice is refused, not chosen from (422)', async (t) => {
  const { ann, nobody } = await world(t)
  for (const query of ['limit=1&limit=2', 'q=a&q=b', 'user_id=1&user_id=2', 'sort=id&sort=-id']) {
    assert.equal((await ann.get(`${TODOS}?${query}`)).statusCode, 422, query)
  }
  const answer = await nobody.send('/auth/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `username=${ann.email}&username=bob@example.com&password=${encodeURIComponent(PASSWORD)}`,
  })
  assert.equal(answer.statusCode, 422)
})

test('SQL in any field is text like any other', async (t) => {
  const here = await world(t)
  const { ann, bob, nobody } = here
  await bob.post(TODOS, { text: 'His' })
  const payloads = [
    "' or '1'='1",
    "'; drop table todos; --",
    "x') union select id, password_hash from users --",
    '%',
    '_',
    "\\'; select pg_sleep(60); --",
    '" or ""="',
    'His',
  ]
  for (const text of payloads) {
    const made = await ann.post(TODOS, { text })
    assert.equal(made.json().text, text)
    const found = await ann.get(`${TODOS}?q=${encodeURIComponent(text)}&limit=100`)
    const texts = found.json().map((todo: { text: string }) => todo.text)
    assert.ok(texts.length > 0 && texts.every((each: string) => each.includes(text)), text)
    assert.ok(found.json().every((todo: { owner_id: number }) => todo.owner_id === ann.id))
    const part = encodeURIComponent(text)
    for (const url of [
      `${TODOS}?sort=${part}`,
      `${TODOS}?user_id=${part}`,
      `${TODOS}?cursor=${part}`,
      `${TODOS}?completed=${part}`,
      `${TODOS}/${part}`,
      `/api/v1/users/${part}`,
    ]) {
      assert.equal((await ann.get(url)).statusCode, 422, url)
    }
    const signIn = await nobody.form('/auth/token', { username: text, password: text })
    assert.equal(signIn.statusCode, 401, text)
    const named = await ann.patch('/auth/me', { fname: text, lname: text })
    assert.deepEqual([named.json().fname, named.json().lname], [text, text])
  }
  assert.equal((await bob.get(TODOS)).json().length, 1)
})

test('a cursor cannot carry SQL or reach another’s todos', async (t) => {
  const { ann, bob } = await world(t)
  await bob.post(TODOS, { text: 'His' })
  await ann.post(TODOS, { text: 'Hers' })
  const cursor = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url')
  for (const key of ["' or 1=1 --", '', '\ud800', 'z'.repeat(500)]) {
    const place = cursor({ sort: 'text', direction: 'after', key, id: 1 })
    const answer = await ann.get(`${TODOS}?sort=text&cursor=${place}`)
    assert.equal(answer.statusCode, 200, key)
    const owners = answer.json().map((todo: { owner_id: number }) => todo.owner_id)
    assert.ok(owners.every((owner: number) => owner === ann.id))
  }
  for (const fields of [
    { sort: 'id', direction: 'after', key: '', id: '1 or 1=1' },
    { sort: 'id', direction: 'asc; drop table todos', key: '', id: 1 },
    { sort: 'password_hash', direction: 'after', key: '', id: 1 },
    { sort: 'id', direction: 'after', key: '', id: 1, owner_id: bob.id },
  ]) {
    const answer = await ann.get(`${TODOS}?sort=id&cursor=${cursor(fields)}`)
    assert.equal(answer.statusCode, 422, JSON.stringify(fields))
  }
})
