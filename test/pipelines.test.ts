// Reads of several requests go over one connection at the same time (src/db/postgresql-pipelines.ts).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { prepared } from '../src/db/prepared.ts'
import { inTransaction } from './locks.ts'
import { isPostgresql, type Person, world } from './world.ts'

const skip = !isPostgresql && 'an embedded file has no connections to share'
const TODOS = '/api/v1/todos'

const statuses = (answers: ReadonlyArray<{ statusCode: number }>) =>
  answers.map(({ statusCode }) => statusCode)

const add = async (person: Person, text: string): Promise<string> =>
  `${TODOS}/${(await person.post(TODOS, { text })).json().id}`

/** Another client, which has locked `table`: no statement gets at it before its end. */
const locked = (databaseUrl: string, table: string) =>
  inTransaction(databaseUrl, `lock table ${table}`)

for (const size of ['1', '2', '10']) {
  test(`many who read and write at once each get what is theirs, with ${size} connections`, {
    skip,
  }, async (t) => {
    const { person } = await world(t, { DATABASE_POOL_SIZE: size })
    const people = await Promise.all(
      Array.from({ length: 12 }, (_, index) => person(`reader${index}`)),
    )
    await Promise.all(
      people.map(async (reader, index) => {
        const url = await add(reader, `Of ${index}`)
        for (let turn = 1; turn <= 10; turn++) {
          const [list, one, changed] = await Promise.all([
            reader.get(TODOS),
            reader.get(url),
            reader.patch(url, { text: `Of ${index}, turn ${turn}` }),
          ])
          assert.deepEqual(statuses([list, one, changed]), [200, 200, 200])
          assert.equal(list.headers['x-total-count'], '1')
          for (const { text } of [list.json()[0], one.json()]) {
            assert.match(text, new RegExp(`^Of ${index}(, turn ${turn}|, turn ${turn - 1}|)$`))
          }
          const after = await reader.get(url)
          assert.equal(after.json().text, `Of ${index}, turn ${turn}`)
        }
      }),
    )
  })
}

test('a transaction gets its turn while others never stop reading, on a single connection', {
  skip,
}, async (t) => {
  const { ann, bob } = await world(t, { DATABASE_POOL_SIZE: '1' })
  let isOver = false
  const readers = Array.from({ length: 8 }, async () => {
    while (!isOver) assert.equal((await bob.get(TODOS)).statusCode, 200)
  })
  for (let turn = 0; turn < 5; turn++) {
    const answer = await ann.post(TODOS, { text: 'Once' }, { 'idempotency-key': `key-${turn}` })
    assert.equal(answer.statusCode, 201)
  }
  isOver = true
  await Promise.all(readers)
})

test('a statement that takes too long fails alone (503): those beside it are answered', {
  skip,
}, async (t) => {
  const { ann, config } = await world(t, {
    DATABASE_POOL_SIZE: '1',
    DATABASE_STATEMENT_TIMEOUT: '300',
  })
  const url = await add(ann, 'Kept')
  const lock = await locked(config.databaseUrl, 'todo_counts')
  const [lists, ones] = await Promise.all([
    Promise.all([ann.get(TODOS), ann.get(TODOS)]),
    Promise.all([ann.get(url), ann.get(url)]),
  ])
  assert.deepEqual(statuses(lists), [503, 503])
  assert.deepEqual(statuses(ones), [200, 200])
  await lock.end()
  assert.equal((await ann.get(TODOS)).statusCode, 200)
})

test('when the server ends a connection, those on it get a 503 and the next ones an answer', {
  skip,
}, async (t) => {
  const { ann, config } = await world(t, { DATABASE_POOL_SIZE: '2' })
  const url = await add(ann, 'Kept')
  const other = await locked(config.databaseUrl, 'todo_counts')
  const lists = Promise.all(Array.from({ length: 5 }, () => ann.get(TODOS)))
  let ended = 0
  while (ended === 0) {
    const { rowCount } = await other.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`)
    ended = rowCount ?? 0
  }
  const answers = await lists.finally(() => other.end())
  assert.ok(answers.some(({ statusCode }) => statusCode === 503))
  assert.deepEqual(statuses(await Promise.all([ann.get(url), ann.get(TODOS)])), [200, 200])
})

test('a page from far on in a list does not hold up those who read at the same time', {
  skip,
}, async (t) => {
  const { ann, bob, config } = await world(t, { DATABASE_POOL_SIZE: '2' })
  await add(ann, 'Kept')
  const lock = await locked(config.databaseUrl, 'todos')
  const far = ann.get(`${TODOS}?offset=5000`)
  for (let turn = 0; turn < 5; turn++) {
    assert.equal((await bob.get('/account')).statusCode, 200)
  }
  await lock.end()
  assert.equal((await far).statusCode, 200)
})

const planning = sql<string>`current_setting('plan_cache_mode')`.as('planning')
const briefly = prepared((db) => db.selectNoFrom(planning))

for (const [pooling, where, brief] of [
  ['0', 'on a connection of our own', 'force_generic_plan'],
  ['1', 'through a pooler of transactions, which has no settings of ours', 'auto'],
] as const) {
  test(`only what is brief is planned for any values, ${where}: ${brief}`, { skip }, async (t) => {
    const { db } = await world(t, {
      DATABASE_POOL_SIZE: '1',
      DATABASE_TRANSACTION_POOLING: pooling,
    })
    for (let turn = 0; turn < 2; turn++) {
      assert.deepEqual(await briefly(db, {}), [{ planning: brief }])
      assert.deepEqual(await db.selectNoFrom(planning).execute(), [{ planning: 'auto' }])
      assert.deepEqual(await briefly(db, {}), [{ planning: brief }])
      const within = db.transaction().execute((db) => db.selectNoFrom(planning).execute())
      assert.deepEqual(await within, [{ planning: 'auto' }])
    }
  })
}
