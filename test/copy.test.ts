import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { lastId } from '../src/db/dialect.ts'
import { migrate } from '../src/db/migrate.ts'
import { tables } from '../src/db/tables.ts'
import { installation, withDatabase } from './command.ts'
import { freshDatabase, isPostgresql, world } from './world.ts'

/** Every row of every table, and the ids that were given. */
const everything = (url: string) =>
  withDatabase(url, async (db) => {
    const all: Record<string, unknown> = {}
    for (const { name, key } of tables) {
      const order = sql.join(key.map((column) => sql.ref(column)))
      const { rows } =
        await sql<object>`select * from ${sql.table(name)} order by ${order}`.execute(db)
      all[name] = rows.map((row) => ({ ...row }))
    }
    for (const name of ['users', 'sessions', 'todos']) all[`${name} ids`] = await lastId(db, name)
    return all
  })

/** A second, empty database of the kind that this run is about. */
async function another(t: TestContext, directory: string): Promise<string> {
  if (!isPostgresql) return `sqlite:///${join(directory, 'another.db')}`
  const { url, drop } = await freshDatabase()
  t.after(drop)
  return url
}

/** People with todos by the thousand, signed in and out, with keys, failures and gaps in the ids. */
async function lived(t: TestContext, url: string): Promise<void> {
  const { ann, bob, nobody, db } = await world(t, { DATABASE_URL: url })
  const text = 'Ünïcode ✓ 漢字 🎉 \\ \' " %'
  const added = await ann.post('/api/v1/todos', { text }, { 'idempotency-key': 'one' })
  assert.equal(added.statusCode, 201)
  await ann.form('/auth/token', { grant_type: 'refresh_token', refresh_token: ann.refreshToken })
  await nobody.form('/auth/token', { username: bob.email, password: 'wrong' })
  const at = '2026-11-24T12:00:00.000Z'
  const rows = Array.from({ length: 1300 }, (_, number) => ({
    owner_id: number % 2 ? ann.id : bob.id,
    text: `todo ${number}`,
    text_key: `todo ${number}`,
    sort_key: `todo ${number}`,
    completed_at: number % 3 ? null : at,
    created_at: at,
    updated_at: at,
  }))
  await db.insertInto('todos').values(rows).execute()
  await db.deleteFrom('todos').where('id', '>', 1250).execute()
}

test('todo copy brings every row, to SQLite and to PostgreSQL and back, and says how many', async (t) => {
  const { todo, directory, variables } = await installation(t)
  const first = variables.DATABASE_URL ?? ''
  const second = `sqlite:///${join(directory, 'second.db')}`
  const third = await another(t, directory)
  await lived(t, first)
  const original = await everything(first)

  for (const [from, to] of [
    [first, second],
    [second, third],
  ] as const) {
    const { code, stdout, stderr } = await todo(['copy', '--from', from, '--to', to])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, / 1250 {2}todos$/m)
    assert.match(stdout, /, and compared every row\.$/m)
    assert.deepEqual(await everything(to), original)
  }
  // An id of the source is never given again, not even that of a deleted row.
  const next = await withDatabase(third, (db) =>
    sql<{ id: number }>`
      insert into todos (owner_id, text, text_key, sort_key, created_at, updated_at)
      values (1, 'new', 'new', 'new', '', '') returning id`.execute(db),
  )
  assert.equal(next.rows[0]?.id, 1302)
})

test('without --to the copy goes to DATABASE_URL, so that no password is in the command', async (t) => {
  const { todo, directory, variables } = await installation(t)
  const from = `sqlite:///${join(directory, 'from.db')}`
  await todo(['reset'], { variables: { DATABASE_URL: from } })
  const { code, stdout } = await todo(['copy', '--from', from])
  assert.equal(code, 0)
  assert.match(stdout, / 14 {2}todos$/m)
  assert.deepEqual(await everything(variables.DATABASE_URL ?? ''), await everything(from))
})

test('a copy that cannot be whole is refused, and the destination stays as it was', async (t) => {
  const { todo, directory, variables } = await installation(t)
  const here = variables.DATABASE_URL ?? ''
  const file = (name: string) => `sqlite:///${join(directory, name)}`
  const refused = async (from: string, to: string, reason: RegExp) => {
    const { code, stderr } = await todo(['copy', '--from', from, '--to', to])
    assert.equal(code, 1)
    assert.match(stderr, reason)
  }
  await todo(['reset'])
  await todo(['reset'], { variables: { DATABASE_URL: file('full.db') } })
  const before = await everything(here)
  await refused(file('full.db'), here, /not empty: its table users has 2 rows/)
  assert.deepEqual(await everything(here), before)
  await refused(here, here, /are the same database/)
  await refused(file('absent.db'), here, /There is no file .*absent\.db/)

  await todo(['reset'], { variables: { DATABASE_URL: file('old.db') } })
  await withDatabase(file('old.db'), (db) =>
    sql`delete from kysely_migration where name > '0003'`.execute(db),
  )
  await refused(file('old.db'), file('new.db'), /source has migrations pending/)
  await withDatabase(here, (db) =>
    sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2030')`.execute(db),
  )
  await refused(here, file('new.db'), /source is of a newer version/)
})

test('databases of one name on two servers are not the same, also where a query names those', async (t) => {
  const { todo, directory } = await installation(t)
  // Two sockets at which nobody listens.
  const copy = (from: string, to: string) => {
    const at = (query: string) => `postgresql:///todo?user=ann&host=${directory}${query}`
    return todo(['copy', '--from', at(from), '--to', at(to)])
  }
  for (const [from, to] of [
    ['', '/other'],
    ['&port=7001', '&port=7002'],
  ] as const) {
    const { code, stderr } = await copy(from, to)
    assert.equal(code, 1)
    assert.match(stderr, /ENOENT/)
  }
  const { code, stderr } = await copy('', '&port=5432')
  assert.deepEqual([code, stderr.includes('are the same database')], [1, true])
})

test('a copy that differs from its original is not kept', async (t) => {
  const { todo, directory, variables } = await installation(t)
  const from = `sqlite:///${join(directory, 'from.db')}`
  const to = variables.DATABASE_URL ?? ''
  await todo(['reset'], { variables: { DATABASE_URL: from } })
  // A destination that changes what it is given, as a forgotten trigger would.
  await withDatabase(to, async (db) => {
    await migrate(db)
    if (isPostgresql) {
      await sql`create function shout() returns trigger language plpgsql
        as 'begin new.text := upper(new.text); return new; end'`.execute(db)
      await sql`create trigger shouting before insert on todos
        for each row execute function shout()`.execute(db)
    } else {
      await sql`create trigger shouting after insert on todos
        begin update todos set text = upper(text) where id = new.id; end`.execute(db)
    }
  })
  const { code, stderr } = await todo(['copy', '--from', from])
  assert.equal(code, 1)
  assert.match(stderr, /copy of the table todos differs from the original\. Nothing was kept\./)
  assert.deepEqual(
    await withDatabase(to, (db) => db.selectFrom('users').select('id').execute()),
    [],
  )
})
