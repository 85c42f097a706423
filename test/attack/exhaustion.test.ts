import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { addMany } from '../many-todos.ts'
import { isPostgresql, PASSWORD, world } from '../world.ts'

const MEGABYTE = 2 ** 20

test('a huge password of combining marks is refused before it is normalised (422)', async (t) => {
  // Normalising a run of marks takes time that grows with its square: here, many minutes.
  const { ann } = await world(t, { BODY_LIMIT: String(4 * MEGABYTE) })
  const password = '\u0301\u0316'.repeat(MEGABYTE - 100)
  const answer = await ann.patch('/auth/me', { password, current_password: PASSWORD })
  assert.equal(answer.statusCode, 422)
  assert.deepEqual(
    answer.json().errors.map(({ type }: { type: string }) => type),
    ['too_long'],
  )
})

test('a search for what repeats itself is over in time, also in many todos that do', {
  skip: !isPostgresql && 'SQLite has no time for a statement',
}, async (t) => {
  const here = await world(t, { DATABASE_STATEMENT_TIMEOUT: '3000' })
  const { ann, db } = here
  // 16 million characters, as somebody adds them within a minute.
  await addMany(here, ann.id, ['a'.repeat(2000)])
  const columns = sql`owner_id, text, text_key, sort_key, completed_at, created_at, updated_at`
  await sql`insert into todos (${columns})
    select ${columns} from todos cross join generate_series(1, 8000)`.execute(db)
  for (const many of [199, 180, 40, 20, 0]) {
    const q = `${'a'.repeat(many)}b${'a'.repeat(199 - many)}`
    const answer = await ann.get(`/api/v1/todos?q=${q}`)
    assert.equal(answer.statusCode, 200, q)
    assert.deepEqual(answer.json(), [])
  }
})

test('of marks in the slowest order a todo is no longer than of anything else (422)', async (t) => {
  const { ann } = await world(t)
  const add = (length: number) =>
    ann.post('/api/v1/todos', { text: '\u0301'.repeat(1000) + '\u0316'.repeat(length - 1000) })
  assert.equal((await add(2000)).statusCode, 201)
  assert.equal((await add(2001)).statusCode, 422)
})

test('the name of an unknown field is told back no longer than it needs to be', async (t) => {
  const { nobody, ann } = await world(t)
  const name = 'n'.repeat(MEGABYTE - 100)
  const answers = [
    await ann.post('/api/v1/todos', { text: 'A', [name]: 1 }),
    await nobody.form('/auth/token', {
      username: 'a',
      password: 'b',
      [name.slice(0, 15_000)]: '1',
    }),
  ]
  for (const answer of answers) {
    assert.equal(answer.statusCode, 422)
    assert.ok(answer.body.length < 2000, `${answer.body.length} characters`)
    assert.match(answer.json().errors[0].loc[1], /^n{100}…$/)
  }
})

test('ninety faults are told as fifty', async (t) => {
  const { ann } = await world(t)
  const body = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`x${index}`, index]))
  const answer = await ann.post('/api/v1/todos', body)
  assert.equal(answer.statusCode, 422)
  assert.equal(answer.json().errors.length, 50)
})

test('arrays within arrays, as deep as a body can hold them, are refused (422)', async (t) => {
  const { ann } = await world(t)
  for (const [open, close] of [
    ['[', ']'],
    ['{"text":', '}'],
  ] as const) {
    const depth = Math.floor((MEGABYTE - 100) / (open.length + close.length))
    const answer = await ann.send('/api/v1/todos', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `${open.repeat(depth)}1${close.repeat(depth)}`,
    })
    assert.equal(answer.statusCode, 422)
  }
})
