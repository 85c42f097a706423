import assert from 'node:assert/strict'
import { test } from 'node:test'
import { link } from '../../../test/list-pages.ts'
import { addMany } from '../../../test/many-todos.ts'
import { type Person, world } from '../../../test/world.ts'
import { countTodos } from '../../db/queries.ts'
import { fold, sortKey } from '../../lib/text.ts'

const TODOS = '/api/v1/todos'

const total = async (person: Person, query = ''): Promise<number> =>
  Number((await person.get(`${TODOS}?limit=1${query}`)).headers['x-total-count'])

const totals = async (person: Person): Promise<number[]> => [
  await total(person),
  await total(person, '&completed=false'),
  await total(person, '&completed=true'),
]

test('the total follows what is added, ticked, renamed and deleted', async (t) => {
  const { ann, bob } = await world(t)
  await bob.post(TODOS, { text: 'His' })
  assert.deepEqual(await totals(ann), [0, 0, 0])
  const { id } = (await ann.post(TODOS, { text: 'One' })).json()
  await ann.post(TODOS, { text: 'Two', completed: true })
  await ann.post(TODOS, { text: 'Three' }, { 'idempotency-key': 'three' })
  await ann.post(TODOS, { text: 'Three' }, { 'idempotency-key': 'three' })
  assert.deepEqual(await totals(ann), [3, 2, 1])
  await ann.patch(`${TODOS}/${id}`, { completed: true })
  await ann.patch(`${TODOS}/${id}`, { completed: true })
  assert.deepEqual(await totals(ann), [3, 1, 2])
  await ann.patch(`${TODOS}/${id}`, { text: 'Renamed' })
  assert.deepEqual(await totals(ann), [3, 1, 2])
  await ann.put(`${TODOS}/${id}`, { text: 'Open again' })
  assert.deepEqual(await totals(ann), [3, 2, 1])
  await ann.patch(`${TODOS}/${id}`, { completed: true }, { 'if-match': '"99.1"' })
  await bob.delete(`${TODOS}/${id}`)
  assert.deepEqual(await totals(ann), [3, 2, 1])
  await ann.delete(`${TODOS}/${id}`)
  assert.deepEqual(await totals(ann), [2, 1, 1])
  assert.deepEqual(await totals(bob), [1, 1, 0])
})

test('todos that were written by hand are counted by countTodos', async (t) => {
  const here = await world(t)
  const { ann, bob, db } = here
  await bob.post(TODOS, { text: 'His' })
  await addMany(here, ann.id, ['a', 'b', 'c', 'd'])
  await db.deleteFrom('todos').where('text', 'in', ['a', 'His']).execute()
  await countTodos(db)
  assert.deepEqual(await totals(ann), [3, 2, 1])
  assert.deepEqual(await totals(bob), [0, 0, 0])
})

test('a search finds the same, few or many, short texts or long ones, in every order', async (t) => {
  const here = await world(t)
  const { ann, bob } = here
  const beyondTheSortKey = `${'word '.repeat(30)}needle`
  const atBothEnds = `fork ${'word '.repeat(30)}fork`
  const texts = Array.from({ length: 1200 }, (_, index) => `Hay ${String(index).padStart(4, '0')}`)
  await addMany(here, ann.id, [
    ...texts,
    beyondTheSortKey,
    'Needle in front',
    'needles',
    atBothEnds,
  ])
  await addMany(here, bob.id, ['needle of another', beyondTheSortKey])
  await addMany(
    here,
    bob.id,
    Array.from({ length: 1100 }, () => 'The same'),
  )

  assert.equal(await total(ann, '&q=needle'), 3)
  assert.equal(await total(ann, '&q=needle&completed=true'), 1)
  assert.equal(await total(ann, '&q=hay'), 1200)
  assert.equal(await total(ann, '&q=hay&completed=true'), 400)
  assert.equal(await total(ann, '&q=a'), 1200)
  assert.equal(await total(ann, '&q=fork'), 1)
  assert.equal(await total(ann, '&q=word'), 2)
  assert.equal(await total(bob, '&q=same'), 1100)
  for (const [q, expected] of [
    ['needle', [beyondTheSortKey, 'Needle in front', 'needles']],
    ['hay', texts],
    ['y 00', texts.slice(0, 100)],
  ] as const) {
    for (const sort of ['id', 'created_at', 'updated_at', 'text']) {
      const found: string[] = []
      let url: string | undefined = `${TODOS}?q=${encodeURIComponent(q)}&sort=${sort}&limit=100`
      while (url !== undefined) {
        const answer = await ann.get(url)
        found.push(...answer.json().map(({ text }: { text: string }) => text))
        assert.equal(answer.headers['x-total-count'], String(expected.length), `${q} ${sort}`)
        url = link(answer, 'next')
      }
      const inOrder = sort === 'text' ? expected.toSorted((a, b) => compare(a, b)) : expected
      assert.deepEqual(found, inOrder, `${q} ${sort}`)
    }
  }
})

const compare = (a: string, b: string): number => (sortKey(fold(a)) < sortKey(fold(b)) ? -1 : 1)
