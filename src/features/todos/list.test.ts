import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { migrations } from '../../db/migrations/index.ts'
import { type Person, world } from '../../../test/world.ts'

const TODOS = '/api/v1/todos'

async function add(person: Person, ...texts: string[]): Promise<number[]> {
  const ids: number[] = []
  for (const text of texts) {
    const answer = await person.post(TODOS, { text })
    assert.equal(answer.statusCode, 201, answer.body)
    ids.push(answer.json().id)
  }
  return ids
}

const textsOf = (answer: { json(): Array<{ text: string }> }) =>
  answer.json().map(({ text }) => text)

test('the list is a bare array of the caller’s own todos, the oldest first, ten on a page', async (t) => {
  const { ann, bob } = await world(t)
  await add(bob, 'Not hers')
  await add(ann, ...Array.from({ length: 12 }, (_, index) => `Todo ${index}`))
  const answer = await ann.get(`${TODOS}/`)
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(
    textsOf(answer),
    Array.from({ length: 10 }, (_, index) => `Todo ${index}`),
  )
  assert.equal(answer.headers['x-total-count'], '12')
  assert.deepEqual(Object.keys(answer.json()[0]).sort(), [
    'completed',
    'created_at',
    'id',
    'owner_id',
    'text',
    'updated_at',
  ])
  assert.match(answer.json()[0].created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('an empty list is an empty array', async (t) => {
  const { ann } = await world(t)
  const answer = await ann.get(TODOS)
  assert.deepEqual([answer.json(), answer.headers['x-total-count']], [[], '0'])
})

test('completed shows only the completed todos, or only the open ones', async (t) => {
  const { ann } = await world(t)
  const [first] = await add(ann, 'Done', 'Open')
  await ann.patch(`${TODOS}/${first}`, { completed: true })
  const done = await ann.get(`${TODOS}?completed=true`)
  assert.deepEqual([textsOf(done), done.headers['x-total-count']], [['Done'], '1'])
  assert.deepEqual(textsOf(await ann.get(`${TODOS}?completed=false`)), ['Open'])
  assert.equal((await ann.get(`${TODOS}?completed=maybe`)).statusCode, 422)
})

test('q finds text anywhere, in whatever case and spelling, and takes every character as itself', async (t) => {
  const { ann } = await world(t)
  await add(
    ann,
    'Buy MILK',
    '100% sure',
    'snake_case',
    'back\\slash',
    'ÉCLAIR',
    'ｆｕｌｌ width',
    "it's",
  )
  const finds = async (q: string) => textsOf(await ann.get(`${TODOS}?q=${encodeURIComponent(q)}`))
  assert.deepEqual(await finds('milk'), ['Buy MILK'])
  assert.deepEqual(await finds('  y mi '), ['Buy MILK'])
  assert.deepEqual(await finds('%'), ['100% sure'])
  assert.deepEqual(await finds('_'), ['snake_case'])
  assert.deepEqual(await finds('\\'), ['back\\slash'])
  assert.deepEqual(await finds('e\u0301clair'), ['ÉCLAIR'])
  assert.deepEqual(await finds('full'), ['ｆｕｌｌ width'])
  assert.deepEqual(await finds("'"), ["it's"])
  assert.equal((await finds('')).length, 7)
  assert.deepEqual(await finds('nothing like it'), [])
  assert.equal((await ann.get(`${TODOS}?q=%00`)).statusCode, 422)
})

test('q finds what repeats itself, and takes every character as itself there too', async (t) => {
  const { ann } = await world(t)
  const line = '-'.repeat(40)
  const odd = '%_\\'.repeat(20)
  await add(
    ann,
    `Above ${line} below`,
    '-'.repeat(39),
    `${'a'.repeat(1000)}b`,
    odd,
    '🎉'.repeat(30),
  )
  const finds = async (q: string) => textsOf(await ann.get(`${TODOS}?q=${encodeURIComponent(q)}`))
  assert.deepEqual(await finds(line), [`Above ${line} below`])
  assert.deepEqual(await finds(`${'A'.repeat(199)}B`), [`${'a'.repeat(1000)}b`])
  assert.deepEqual(await finds(`b${'a'.repeat(199)}`), [])
  assert.deepEqual(await finds('%'.repeat(40)), [])
  assert.deepEqual(await finds(odd), [odd])
  assert.deepEqual(await finds('🎉'.repeat(30)), ['🎉'.repeat(30)])
})

test('q may be twice as long when it is folded, and no longer (422)', async (t) => {
  const { ann } = await world(t)
  const blessing = '\uFDFA'
  await add(ann, blessing.repeat(200))
  const find = (times: number) =>
    ann.get(`${TODOS}?q=${encodeURIComponent(blessing.repeat(times))}`)
  assert.equal((await find(22)).headers['x-total-count'], '1')
  const refused = await find(23)
  assert.equal(refused.statusCode, 422)
  assert.deepEqual(refused.json().errors[0].loc, ['query', 'q'])
})

test('q finds the start of a word that ends in a capital sigma, and a final sigma as any', async (t) => {
  const { ann, db } = await world(t)
  const [invitation, road] = ['ΠΡΟΣΚΛΗΣΗ', 'ο δρόμος μου']
  const [id] = await add(ann, invitation, road)
  const finds = async (q: string) => textsOf(await ann.get(`${TODOS}?q=${encodeURIComponent(q)}`))
  for (const q of ['ΠΡΟΣ', 'προς', 'προσ']) assert.deepEqual(await finds(q), [invitation], q)
  for (const q of ['δρόμος', 'ΔΡΌΜΟΣ', 'δρόμοσ']) assert.deepEqual(await finds(q), [road], q)

  // As earlier versions wrote it.
  const old = { text_key: 'προσκλησης', sort_key: 'προσκλησης' }
  await db
    .updateTable('todos')
    .set(old)
    .where('id', '=', id ?? 0)
    .execute()
  assert.deepEqual(await finds('σκλησησ'), [])
  await migrations['0006-greek-final-sigma']?.up(db)
  assert.deepEqual(await finds('σκλησησ'), [invitation])
})

test('sort orders by id, by times and by text without case, both ways', async (t) => {
  const { ann } = await world(t)
  const ids = await add(ann, 'banana', 'Apple', 'apple', 'Éclair', 'zebra')
  // Times are kept in milliseconds, and this test may be quicker than that.
  await delay(2)
  await ann.patch(`${TODOS}/${ids[1]}`, { completed: true })
  const order = async (sort: string) => textsOf(await ann.get(`${TODOS}?sort=${sort}`))
  assert.deepEqual(await order('id'), ['banana', 'Apple', 'apple', 'Éclair', 'zebra'])
  assert.deepEqual(await order('-id'), ['zebra', 'Éclair', 'apple', 'Apple', 'banana'])
  assert.deepEqual(await order('text'), ['Apple', 'apple', 'banana', 'zebra', 'Éclair'])
  assert.deepEqual(await order('-text'), ['Éclair', 'zebra', 'banana', 'apple', 'Apple'])
  assert.deepEqual(await order('created_at'), await order('id'))
  assert.equal((await order('-updated_at'))[0], 'Apple')
  assert.equal((await ann.get(`${TODOS}?sort=owner_id`)).statusCode, 422)
})

test('the longest text in the widest characters can be kept, sorted and found', async (t) => {
  const { ann } = await world(t)
  const long = '𝔘𝔫𝔦'.repeat(666)
  await add(ann, long, '﷽'.repeat(500), 'short')
  assert.equal((await ann.get(`${TODOS}?sort=text`)).json().length, 3)
  assert.deepEqual(textsOf(await ann.get(`${TODOS}?q=uniuni`)), [long])
})

test('an administrator may list another’s todos, and nobody else may (403)', async (t) => {
  const { ann, bob, person } = await world(t)
  const admin = await person('root', { is_admin: true })
  await add(ann, 'Hers')
  assert.deepEqual(textsOf(await admin.get(`${TODOS}?user_id=${ann.id}`)), ['Hers'])
  assert.deepEqual(textsOf(await admin.get(TODOS)), [])
  assert.deepEqual(textsOf(await ann.get(`${TODOS}?user_id=${ann.id}`)), ['Hers'])
  assert.equal((await bob.get(`${TODOS}?user_id=${ann.id}`)).statusCode, 403)
  assert.equal((await bob.get(`${TODOS}?user_id=999999`)).statusCode, 403)
})

test('a query that is not understood is refused with the field (422)', async (t) => {
  const { ann } = await world(t)
  for (const [query, field] of [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=5&limit=6', 'limit'],
    ['offset=-1', 'offset'],
    ['offset=9007199254740993', 'offset'],
    ['complete=true', 'complete'],
    ['user_id=0', 'user_id'],
    ['cursor=nonsense', 'cursor'],
    ['cursor=%00', 'cursor'],
    ['cursor=', 'cursor'],
    [`q=${'a'.repeat(201)}`, 'q'],
  ] as const) {
    const answer = await ann.get(`${TODOS}?${query}`)
    assert.equal(answer.statusCode, 422, query)
    assert.deepEqual(answer.json().errors[0].loc, ['query', field], query)
  }
})
