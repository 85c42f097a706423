import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { world } from './world.ts'

const RUNS = 300

/** Whatever a client may put where a value belongs: any type, size, Unicode and half of it. */
const anything = fc.oneof(
  fc.jsonValue({ stringUnit: 'binary' }),
  fc.string({ unit: 'binary', maxLength: 3000 }),
  fc.constantFrom('a\u0000b', '\ud800', '\u202e', '𝔘'.repeat(2000), 2 ** 53 + 1, -1, 1e308, null),
)

const FIELDS = [
  'id',
  'text',
  'completed',
  'owner_id',
  'email',
  'password',
  'fname',
  'lname',
  'current_password',
  '__proto__',
  'constructor',
]
const bodies = fc.oneof(anything, fc.dictionary(fc.constantFrom(...FIELDS), anything))

const TARGETS: ReadonlyArray<readonly ['POST' | 'PUT' | 'PATCH', string]> = [
  ['POST', '/api/v1/todos'],
  ['PUT', '/api/v1/todos/1'],
  ['PATCH', '/api/v1/todos/1'],
  ['PATCH', '/auth/me'],
  ['POST', '/api/v1/users/signup'],
]

const ids = fc.oneof(
  fc.integer({ min: -1, max: 3 }).map(String),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const queryFields = fc.constantFrom(
  'user_id',
  'completed',
  'q',
  'sort',
  'offset',
  'limit',
  'cursor',
  'x',
)
const queryValues = fc.oneof(
  fc.constantFrom('true', '1', '-text', '0', '9007199254740991', 'eyJzb3J0IjoiaWQifQ', '%', '\\'),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.toWellFormed()),
)
const queries = fc.array(fc.tuple(queryFields, queryValues), { maxLength: 4 })
const headerValues = fc.string({
  unit: fc.constantFrom(...'"W/.,*0123456789abc -_=%'),
  maxLength: 60,
})

test('whatever a body holds, the answer is a declared one and never a failure of the server', async (t) => {
  const { ann } = await world(t, { SIGN_IN_FAILURES: '1000' })
  await ann.post('/api/v1/todos', { text: 'There' })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...TARGETS), bodies, async ([method, url], body) => {
      const answer = await ann.send(url, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      assert.ok(answer.statusCode < 500, answer.body)
    }),
    { numRuns: RUNS },
  )
})

test('whatever a path, a query or a header holds, the answer is a declared one', async (t) => {
  const { ann } = await world(t)
  await ann.post('/api/v1/todos', { text: 'There' })
  await fc.assert(
    fc.asyncProperty(ids, queries, headerValues, async (id, query, header) => {
      const search = new URLSearchParams(query)
      const conditions = { 'if-match': header, 'if-none-match': header, 'idempotency-key': header }
      const part = encodeURIComponent(id.toWellFormed())
      const answers = [
        await ann.get(`/api/v1/todos?${search}`),
        await ann.get(`/api/v1/todos/${part}`, conditions),
        await ann.get(`/api/v1/users/${part}`),
        await ann.patch(`/api/v1/todos/${part}`, { completed: true }, conditions),
        await ann.post('/api/v1/todos', { text: 'New' }, conditions),
      ]
      for (const answer of answers) assert.ok(answer.statusCode < 500, answer.body)
    }),
    { numRuns: RUNS },
  )
})

test('whatever a form holds, signing in is refused in the declared way', async (t) => {
  const { nobody } = await world(t)
  const fields = fc.constantFrom('grant_type', 'username', 'refresh_token', 'scope', 'token', 'x')
  const values = fc.oneof(
    fc.constantFrom('password', 'refresh_token', 'ann@example.com'),
    fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.toWellFormed()),
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fields, values), async (form) => {
      for (const url of ['/auth/token', '/auth/revoke']) {
        const answer = await nobody.form(url, { ...form })
        assert.ok(answer.statusCode < 500, answer.body)
      }
    }),
    { numRuns: RUNS },
  )
})
