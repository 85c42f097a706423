import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import type { Db } from '../src/db/tables.ts'
import { ANN, installation, withDatabase } from './command.ts'
import { startServer } from './server.ts'
import { isPostgresql, world } from './world.ts'

const input = 'rain on tin roofs'
const users = async (todo: Awaited<ReturnType<typeof installation>>['todo']) =>
  (await todo(['user', 'list'])).stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t')[1])

test('todo migrate brings an empty database up to date and loads nothing', async (t) => {
  const { todo } = await installation(t)
  assert.match((await todo(['migrate'])).stdout, /^Ran 0001-accounts-and-todos\.\n/)
  assert.equal((await todo(['migrate'])).stdout, 'Nothing to migrate.\n')
  assert.deepEqual(await users(todo), [])
})

/** Starts six at once, and gives what each said. */
async function migrateAtOnce(t: TestContext, options = ''): Promise<string[]> {
  const { todo, variables } = await installation(t)
  const DATABASE_URL = `${variables.DATABASE_URL}${options}`
  const all = await Promise.all(
    Array.from({ length: 6 }, () => todo(['migrate'], { variables: { DATABASE_URL } })),
  )
  assert.deepEqual(
    all.map(({ code, stderr }) => [code, stderr]),
    Array(6).fill([0, '']),
  )
  return all.map(({ stdout }) => stdout)
}

test('of many processes that migrate at once, one does', async (t) => {
  const all = await migrateAtOnce(t)
  assert.equal(all.filter((said) => said.startsWith('Ran ')).length, 1)
})

test('so it is where transactions are serializable', { skip: !isPostgresql }, async (t) => {
  const all = await migrateAtOnce(t, '?options=-c%20default_transaction_isolation%3Dserializable')
  assert.equal(all.filter((said) => said.startsWith('Ran ')).length, 1)
})

test('a database of a newer version is left alone, with a message that says so', async (t) => {
  const { todo, variables } = await installation(t)
  await todo(['migrate'])
  await withDatabase(variables.DATABASE_URL ?? '', (db) =>
    sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2030-01-01')`.execute(
      db,
    ),
  )
  for (const command of [['migrate'], ['serve'], ['reset'], ['user', 'list']]) {
    const { code, stderr } = await todo(command)
    assert.equal(code, 1, command.join(' '))
    assert.match(stderr, /9999-later\. It was used by a newer version/)
  }
  assert.equal((await todo(['serve'], { variables: { UPDATE_DB: '0' } })).code, 1)
})

test('a process that serves while a newer version migrates goes on serving (200)', async (t) => {
  const { ann, nobody, db } = await world(t)
  await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2030')`.execute(
    db,
  )
  assert.equal((await nobody.get('/ready')).statusCode, 200)
  assert.equal((await ann.post('/api/v1/todos', { text: 'Buy milk' })).statusCode, 201)
})

test('as long as migrations are pending, requests are a 503 that says so, and served after', async (t) => {
  const server = await startServer(t, { UPDATE_DB: '0' })
  const signUp = () =>
    fetch(`${server.url}/api/v1/users/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'a@example.com', password: input, fname: 'A', lname: 'B' }),
    })
  const early = await signUp()
  assert.equal(early.status, 503)
  assert.equal(early.headers.get('retry-after'), '60')
  assert.match(
    await early.text(),
    /"The database is not at the schema of this version\. .*`todo migrate`\."/,
  )
  assert.equal((await fetch(`${server.url}/ready`)).status, 503)
  assert.match(String(server.logged('cause')[0]?.cause), /users/)
  await server.todo(['migrate'])
  assert.equal((await signUp()).status, 201)
})

test('todo reset loads two accounts with fourteen todos, again and again', async (t) => {
  const { todo, variables } = await installation(t)
  for (let round = 0; round < 2; round++) {
    const { code, stderr } = await todo(['reset'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(await users(todo), ['johndoe@example.com', 'alice@example.com'])
    const todos = await withDatabase(variables.DATABASE_URL ?? '', (db) =>
      db.selectFrom('todos').select('id').execute(),
    )
    assert.equal(todos.length, 14)
  }
})

test('a reset refuses to drop an account that is not of the demo data, unless forced', async (t) => {
  const { todo } = await installation(t)
  await todo(ANN, { input })
  const refused = await todo(['reset'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /holds more than the demo data.*todo reset --force/)
  assert.doesNotMatch(refused.stderr, /Unset/)
  const started = await todo(['serve'], { variables: { RESET_DB: '1' } })
  assert.equal(started.code, 1)
  assert.deepEqual(await users(todo), ['ann@example.com'])
  assert.equal((await todo(['reset', '--force'])).code, 0)
  assert.deepEqual(await users(todo), ['johndoe@example.com', 'alice@example.com'])
})

for (const [what, change] of [
  [
    'a todo added to a demo account',
    (db: Db) =>
      sql`insert into todos (owner_id, text, text_key, sort_key, created_at, updated_at) select owner_id, 'mine', 'mine', 'mine', created_at, updated_at from todos where id = 1`.execute(
        db,
      ),
  ],
  [
    'a demo todo that was ticked',
    (db: Db) => db.updateTable('todos').set({ version: 2 }).where('id', '=', 2).execute(),
  ],
  [
    'a demo account that was renamed',
    (db: Db) => db.updateTable('users').set({ version: 2 }).where('id', '=', 1).execute(),
  ],
] as const) {
  test(`a reset refuses to lose ${what}`, async (t) => {
    const { todo, variables } = await installation(t)
    await todo(['reset'])
    await withDatabase<unknown>(variables.DATABASE_URL ?? '', change)
    assert.equal((await todo(['reset'])).code, 1)
  })
}

test('a reset leaves the tables of other products alone', async (t) => {
  const { todo, variables } = await installation(t)
  await withDatabase(variables.DATABASE_URL ?? '', async (db) => {
    await sql`create table somebody_elses (id integer)`.execute(db)
  })
  assert.equal((await todo(['reset', '--force'])).code, 0)
  await withDatabase(variables.DATABASE_URL ?? '', async (db) => {
    await sql`select id from somebody_elses`.execute(db)
  })
})

for (const [what, statement] of [
  ['a table', sql`create table users (id integer, nick text)`],
  ['a view', sql`create view users as select 1 as id, 'ann' as nick`],
] as const) {
  test(`a database in which ${what} of another product is called as one of ours is left alone`, async (t) => {
    const { todo, variables } = await installation(t)
    const url = variables.DATABASE_URL ?? ''
    await withDatabase(url, (db) => statement.execute(db))
    for (const command of [
      ['migrate'],
      ['reset'],
      ['reset', '--force'],
      ['user', 'list'],
      ['serve'],
    ]) {
      const { code, stderr } = await todo(command)
      assert.match(stderr, /^The database has tables that are not this service's \(users\)\. /)
      assert.equal(code, 1, command.join(' '))
    }
    await withDatabase(url, async (db) => {
      await sql`select nick from users`.execute(db)
      for (const name of ['kysely_migration', 'kysely_migration_lock']) {
        await assert.rejects(sql`select 1 from ${sql.table(name)}`.execute(db), name)
      }
    })
  })
}

test('of another product in another schema, tables called as ours are left alone, and no hindrance', {
  skip: !isPostgresql,
}, async (t) => {
  const { todo, variables } = await installation(t)
  const url = variables.DATABASE_URL ?? ''
  await withDatabase(url, async (db) => {
    await sql`create table users (id integer, nick text)`.execute(db)
    await sql`create schema own`.execute(db)
  })
  const DATABASE_URL = `${url}?options=-c%20search_path%3Down,public`
  for (const command of [['reset', '--force'], ['reset']]) {
    assert.deepEqual((await todo(command, { variables: { DATABASE_URL } })).stderr, '')
  }
  await withDatabase(url, (db) => sql`select nick from public.users`.execute(db))
})
