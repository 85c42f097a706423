import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { link, SORTS } from '../../../test/list-pages.ts'
import { type Person, world } from '../../../test/world.ts'

const TODOS = '/api/v1/todos'

/** Texts of which some are equal, so that the order has ties. */
const TEXTS = Array.from({ length: 23 }, (_, index) => `Todo ${index % 5}`)

async function manyTodos(person: Person): Promise<void> {
  for (const text of TEXTS) await person.post(TODOS, { text })
}

const ids = (answer: LightMyRequestResponse): number[] =>
  answer.json().map(({ id }: { id: number }) => id)

async function follow(person: Person, start: string, relation: string): Promise<number[][]> {
  const pages: number[][] = []
  for (let url: string | undefined = start; url !== undefined; ) {
    const answer = await person.get(url)
    assert.equal(answer.statusCode, 200, `${url} ${answer.body}`)
    assert.equal(answer.headers['x-total-count'], String(TEXTS.length))
    pages.push(ids(answer))
    url = link(answer, relation)
    assert.ok(pages.length <= TEXTS.length, 'the pages end')
  }
  return pages
}

test('pages by cursor cover each todo once in every order, and lead back the same way', async (t) => {
  const { ann, bob } = await world(t)
  await bob.post(TODOS, { text: 'Todo 0' })
  await manyTodos(ann)
  for (const sort of SORTS) {
    const whole = ids(await ann.get(`${TODOS}?sort=${sort}&limit=100`))
    assert.equal(whole.length, TEXTS.length)
    const forward = await follow(ann, `${TODOS}?sort=${sort}&limit=4`, 'next')
    assert.deepEqual(forward.flat(), whole, sort)
    assert.ok(forward.every((page, index) => page.length === 4 || index === forward.length - 1))

    let last = `${TODOS}?sort=${sort}&limit=4`
    for (let next: string | undefined = last; next; next = link(await ann.get(last), 'next'))
      last = next
    const backward = await follow(ann, last, 'prev')
    assert.deepEqual(backward.toReversed(), forward, sort)
  }
})

test('pages by offset cover each todo once, and say which page is before and behind', async (t) => {
  const { ann } = await world(t)
  await manyTodos(ann)
  const whole = ids(await ann.get(`${TODOS}?limit=100`))
  const pages = await follow(ann, `${TODOS}?offset=0&limit=10`, 'next')
  assert.deepEqual(
    pages.map(({ length }) => length),
    [10, 10, 3],
  )
  assert.deepEqual(pages.flat(), whole)
  const middle = await ann.get(`${TODOS}?offset=5&limit=10`)
  assert.equal(link(middle, 'first'), `${TODOS}?offset=0&limit=10`)
  assert.equal(link(middle, 'prev'), `${TODOS}?offset=0&limit=10`)
  const beyond = await ann.get(`${TODOS}?offset=1000&limit=10`)
  assert.deepEqual(beyond.json(), [])
  assert.equal(link(beyond, 'prev'), `${TODOS}?offset=13&limit=10`)
  assert.equal(link(beyond, 'next'), undefined)
})

test('a page far from the start has the todos of its place, in every order and of the open ones too', async (t) => {
  const { db, ann, bob } = await world(t)
  const rows = Array.from({ length: 1030 }, (_, index) => ({
    text: `Todo ${index % 7}`,
    text_key: `todo ${index % 7}`,
    sort_key: `todo ${index % 7}`,
    completed_at: index % 50 ? null : `2026-01-01T00:00:00.${100 + (index % 11)}Z`,
    created_at: `2026-01-01T00:00:00.${100 + (index % 13)}Z`,
    updated_at: `2026-01-01T00:00:00.${100 + (index % 17)}Z`,
  }))
  // Beside another's, whose todos are among hers in all but the owner.
  const both = rows.flatMap((row) => [ann, bob].map(({ id }) => ({ ...row, owner_id: id })))
  await db.insertInto('todos').values(both).execute()
  for (const sort of SORTS) {
    for (const [filter, length] of [
      ['', 1030],
      ['&completed=false', 1009],
    ] as const) {
      const query = `?sort=${sort}${filter}&limit=100`
      const near: number[][] = []
      for (let offset = 0; offset < 1000; offset += 100) {
        near.push(ids(await ann.get(`${TODOS}${query}&offset=${offset}`)))
      }
      const last = ids(await ann.get(`${TODOS}${query}&offset=990`))
      const far = ids(await ann.get(`${TODOS}${query}&offset=1000`))
      assert.equal(near.flat().length + far.length, length, query)
      assert.deepEqual([...near.flat().slice(990), ...far], last, query)
      assert.equal(new Set([...near.flat(), ...far]).size, length, query)
    }
  }
})

test('a page by cursor neither repeats nor leaves out a todo when others come and go', async (t) => {
  const { ann } = await world(t)
  await manyTodos(ann)
  const before = ids(await ann.get(`${TODOS}?sort=-id&limit=100`))
  const first = await ann.get(`${TODOS}?sort=-id&limit=10`)
  await ann.post(TODOS, { text: 'New, on top' })
  await ann.delete(`${TODOS}/${ids(first).at(-1)}`)
  const second = await ann.get(link(first, 'next') ?? '')
  assert.deepEqual(ids(second), before.slice(10, 20))
})

test('a page whose todos are all gone leads to those that are left, both ways and in every order', async (t) => {
  for (const sort of SORTS) {
    const { ann } = await world(t)
    for (const text of ['d', 'a', 'b', 'c', 'd', 'd', 'e', 'f', 'g'])
      await ann.post(TODOS, { text })
    const start = `${TODOS}?sort=${sort}&limit=3`
    const first = await ann.get(start)
    const second = await ann.get(link(first, 'next') ?? '')
    const toFirst = link(second, 'prev') ?? ''
    const toLast = link(second, 'next') ?? ''
    const last = await ann.get(toLast)
    for (const id of [...ids(first), ...ids(last)]) await ann.delete(`${TODOS}/${id}`)

    for (const [url, way, nowhere] of [
      [toFirst, 'next', 'prev'],
      [toLast, 'prev', 'next'],
    ] as const) {
      const empty = await ann.get(url)
      assert.deepEqual([empty.statusCode, ids(empty)], [200, []], `${sort} ${url}`)
      assert.equal(link(empty, 'first'), start)
      assert.equal(link(empty, nowhere), undefined)
      assert.deepEqual(ids(await ann.get(link(empty, way) ?? '')), ids(second), `${sort} ${way}`)
    }
    for (const id of ids(second)) await ann.delete(`${TODOS}/${id}`)
    for (const url of [toFirst, toLast]) {
      assert.match(String((await ann.get(url)).headers.link), /^<[^>]+>; rel="first"$/)
    }
  }
})

test('the filters stay in the links', async (t) => {
  const { ann } = await world(t)
  await manyTodos(ann)
  const answer = await ann.get(`${TODOS}?q=Todo%201&completed=false&limit=2`)
  const next = new URL(link(answer, 'next') ?? '', 'http://here')
  assert.deepEqual(
    [next.searchParams.get('q'), next.searchParams.get('completed')],
    ['Todo 1', 'false'],
  )
  assert.equal((await ann.get(`${next.pathname}${next.search}`)).headers['x-total-count'], '5')
})

test('a question mark in the query stays in the links', async (t) => {
  const { ann } = await world(t)
  for (let count = 0; count < 3; count++) await ann.post(TODOS, { text: 'Why? Because' })
  const next = link(await ann.get(`${TODOS}?q=Why?&limit=2&sort=-id`), 'next') ?? ''
  const { searchParams } = new URL(next, 'http://here')
  assert.deepEqual([searchParams.get('q'), searchParams.get('sort')], ['Why?', '-id'])
})

test('a cursor is good for its own order only, and not together with an offset (422)', async (t) => {
  const { ann } = await world(t)
  await manyTodos(ann)
  const next = link(await ann.get(`${TODOS}?sort=text&limit=2`), 'next') ?? ''
  for (const url of [
    next.replace('sort=text', 'sort=id'),
    next.replace('sort=text', 'sort=-text'),
    `${next}&offset=2`,
  ]) {
    const answer = await ann.get(url)
    assert.equal(answer.statusCode, 422, url)
    assert.deepEqual(answer.json().errors[0].loc, ['query', 'cursor'])
  }
})

test('a cursor of another’s list shows only the caller’s own todos', async (t) => {
  const { ann, bob } = await world(t)
  await manyTodos(ann)
  await bob.post(TODOS, { text: 'His' })
  const next = link(await ann.get(`${TODOS}?limit=2`), 'next') ?? ''
  const texts = (await bob.get(next)).json().map(({ text }: { text: string }) => text)
  assert.deepEqual(texts, ['His'])
})

test('PAGE_SIZE and PAGE_SIZE_MAX are what a page holds', async (t) => {
  const { ann } = await world(t, { PAGE_SIZE: '3', PAGE_SIZE_MAX: '5' })
  await manyTodos(ann)
  assert.equal((await ann.get(TODOS)).json().length, 3)
  assert.equal((await ann.get(`${TODOS}?limit=5`)).json().length, 5)
  assert.equal((await ann.get(`${TODOS}?limit=6`)).statusCode, 422)
})
