// In PostgreSQL one statement adds the todos of many who add some at once (db/together.ts).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { blockTodos, inTransaction, waitingForLocks } from '../../../test/locks.ts'
import { until } from '../../../test/server.ts'
import { isPostgresql, type Person, type World, world } from '../../../test/world.ts'

const skip = !isPostgresql && 'an embedded file has one writer at a time'
const TODOS = '/api/v1/todos'
/** So many at once are too many to be added one by one. */
const MANY = 24

/** What the quoting of an array could take for something else. */
const TEXTS = [
  'NULL',
  '"quoted", \\back\\',
  "{a,b}, 'c'",
  'two\nlines',
  '牛乳 🥛',
  ' spaced ',
  '{}',
]

async function people({ person }: World, count: number): Promise<Person[]> {
  const all = []
  for (let index = 0; index < count; index++) all.push(await person(`person${index}`))
  return all
}

const times = async <Result>(count: number, work: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))

async function addOneEach(all: readonly Person[], text: string): Promise<void> {
  const answers = await Promise.all(all.map((person) => person.post(TODOS, { text })))
  for (const [index, answer] of answers.entries()) {
    assert.equal(answer.statusCode, 201)
    assert.equal(answer.json().owner_id, all[index]?.id)
  }
}

/** How many statements added several todos. */
const shared = (here: World): number =>
  here.statements().filter(({ sql: text }) => text.includes('unnest(')).length

test('of many who add todos at once each gets their own, and each is counted', async (t) => {
  const here = await world(t)
  const all = await people(here, 8)
  for (const turn of ['before', 'after']) {
    // The first of each person's is added by itself, since nothing of theirs is counted yet.
    await Promise.all(
      all.map((person, which) =>
        times(6, async (index) => {
          const text = `${which} ${turn} ${index} ${TEXTS[(which + index) % TEXTS.length]}`
          const completed = (which + index) % 3 === 0
          const answer = await person.post(TODOS, { text, completed })
          assert.equal(answer.statusCode, 201)
          const todo = answer.json()
          assert.deepEqual(
            [todo.text, todo.completed, todo.owner_id],
            [text.trim(), completed, person.id],
          )
          assert.equal(answer.headers.location, `${TODOS}/${todo.id}`)
          assert.equal((await person.get(`${TODOS}/${todo.id}`)).json().text, text.trim())
        }),
      ),
    )
  }
  for (const [which, person] of all.entries()) {
    for (const [query, completed] of [
      ['', undefined],
      ['&completed=true', true],
      ['&completed=false', false],
    ] as const) {
      const { headers } = await person.get(`${TODOS}?limit=1${query}`)
      const expected = Array.from({ length: 12 }, (_, index) => (which + (index % 6)) % 3 === 0)
      const total = expected.filter((each) => completed === undefined || each === completed).length
      assert.equal(headers['x-total-count'], String(total))
    }
  }
  if (isPostgresql) assert.ok(shared(here) > 0, 'several todos were added by one statement')
})

for (const table of ['todo_counts', 'users']) {
  test(`an owner whose row of ${table} someone has locked holds up nobody else`, {
    skip,
  }, async (t) => {
    const here = await world(t)
    const all = await people(here, MANY)
    const { ann } = here
    for (const person of [ann, ...all]) await person.post(TODOS, { text: 'First' })
    const key = table === 'users' ? 'id' : 'owner_id'
    const other = await inTransaction(
      here.config.databaseUrl,
      `select from ${table} where ${key} = ${ann.id} for update`,
    )
    const before = shared(here)
    // Hers come when others are being added already.
    const some = addOneEach(all.slice(0, 8), 'Before hers')
    let isDone = false
    const hers = times(3, () => ann.post(TODOS, { text: 'Hers' })).finally(() => {
      isDone = true
    })
    await Promise.all([some, addOneEach(all.slice(8), 'Behind hers')])
    assert.ok(shared(here) > before)
    assert.equal(isDone, false)
    await other.end()
    for (const { statusCode } of await hers) assert.equal(statusCode, 201)
    assert.equal((await ann.get(TODOS)).headers['x-total-count'], '4')
  })
}

test('what the database refuses of one todo fails none of those beside it', {
  skip,
}, async (t) => {
  const here = await world(t)
  const { ann, db } = here
  await ann.post(TODOS, { text: 'First' })
  await sql`alter table todos add constraint no_elephants check (text <> 'Elephant')`.execute(db)
  const answers = await times(MANY, (index) =>
    ann.post(TODOS, { text: index === 15 ? 'Elephant' : `Mouse ${index}` }),
  )
  assert.ok(shared(here) > 0)
  const expected = answers.map((_, index) => (index === 15 ? 500 : 201))
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    expected,
  )
  assert.equal((await ann.get(TODOS)).headers['x-total-count'], String(MANY))
})

test('a database that does not know the statement is asked for it once, and all are added', {
  skip,
}, async (t) => {
  const here = await world(t)
  const { db } = here
  const all = await people(here, 8)
  for (const person of all) await person.post(TODOS, { text: 'First' })
  // As Citus answers to a lock on the rows of several nodes.
  await sql`create function refuse() returns trigger language plpgsql as $$ begin
    if current_query() like '%unnest%' then raise exception using errcode = '0A000'; end if;
    return new;
  end $$`.execute(db)
  await sql`create trigger refuse before update on todo_counts
    for each row execute function refuse()`.execute(db)
  for (const turn of ['First turn', 'Second turn']) await addOneEach(all, turn)
  assert.equal(shared(here), 1)
})

test('when a statement takes too long all whose todos it has get a 503, and none is added', {
  skip,
}, async (t) => {
  const here = await world(t, { DATABASE_STATEMENT_TIMEOUT: '300' })
  const { ann, config } = here
  await ann.post(TODOS, { text: 'First' })
  const release = await blockTodos(config.databaseUrl)
  const answers = await times(MANY, () => ann.post(TODOS, { text: 'Late' }))
  assert.ok(shared(here) > 0)
  for (const { statusCode } of answers) assert.equal(statusCode, 503)
  await release()
  assert.equal((await ann.get(TODOS)).headers['x-total-count'], '1')
  const again = await times(MANY, () => ann.post(TODOS, { text: 'Again' }))
  for (const { statusCode } of again) assert.equal(statusCode, 201)
})

test('a connection that breaks fails those on it (503), and who waited is served by the next', {
  skip,
}, async (t) => {
  const here = await world(t)
  const { ann, db, config } = here
  await ann.post(TODOS, { text: 'First' })
  const release = await blockTodos(config.databaseUrl)
  const answers = times(MANY, () => ann.post(TODOS, { text: 'Cut off' }))
  await waitingForLocks(db, 5)
  const waiting = times(MANY, () => ann.post(TODOS, { text: 'Waited' }))
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()`.execute(db)
  await release()
  const statuses = (await answers).map(({ statusCode }) => statusCode)
  const added = statuses.filter((status) => status === 201).length
  assert.equal(statuses.filter((status) => status === 503).length, MANY - added)
  assert.ok(added <= MANY - 5, 'those of the five statements that were cut off')
  for (const { statusCode } of await waiting) assert.equal(statusCode, 201)
  assert.equal((await ann.get(TODOS)).headers['x-total-count'], String(1 + added + MANY))
})

test('who waits to add a todo counts as waiting: for too long, and who comes is refused (503)', {
  skip,
}, async (t) => {
  // Longer than it takes to send all those who are to be served.
  const { ann, bob, db, config } = await world(t, { OVERLOAD_DELAY: '1000' })
  await ann.post(TODOS, { text: 'First' })
  const release = await blockTodos(config.databaseUrl)
  const some = times(MANY, () => ann.post(TODOS, { text: 'Under way' }))
  await waitingForLocks(db, 5)
  const waiting = ann.post(TODOS, { text: 'Waits' })
  await until(
    async () => (await bob.get(TODOS)).statusCode === 503,
    () => 'who comes is refused',
  )
  await release()
  for (const { statusCode } of [await waiting, ...(await some)]) assert.equal(statusCode, 201)
  assert.equal((await bob.get(TODOS)).statusCode, 200)
})
