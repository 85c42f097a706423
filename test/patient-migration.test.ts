import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { migrate } from '../src/db/migrate.ts'
import type { Db } from '../src/db/tables.ts'
import { ANN, installation, onSqlite, type Ran, withDatabase } from './command.ts'
import { until } from './server.ts'
import { isPostgresql } from './world.ts'

const RAN = 'Ran 0007-attempts-under-way.\nRan 0008-shorter-search-index.\n'
/** Less than any of the waits here; a connection that says nothing is given up after a second more. */
const HURRIED = { DATABASE_STATEMENT_TIMEOUT: '1000' }
/** Longer than both, and than a write on SQLite waits for another process. */
const LONG = isPostgresql ? 4000 : 6000

/** Takes the last migrations back, from the one that adds a column on, or from an earlier one. */
async function undo(db: Db, from = '0007'): Promise<void> {
  await sql`alter table sign_in_failures drop column under_way`.execute(db)
  await sql`delete from kysely_migration where name > ${from}`.execute(db)
}

async function installed(t: TestContext, place = installation(t)) {
  const { todo, variables } = await place
  const url = variables.DATABASE_URL ?? ''
  await todo(['migrate'])
  const migrating = () => {
    let isOver = false
    const ran = todo(['migrate'], { variables: HURRIED }).finally(() => {
      isOver = true
    })
    return { ran, isOver: () => isOver }
  }
  return { todo, url, migrating }
}

/** Waits for long while something is in the way, then takes it away by `release`, and the migration runs. */
async function assertPatient(
  { ran, isOver }: { ran: Promise<Ran>; isOver: () => boolean },
  release: () => unknown,
): Promise<void> {
  await delay(LONG)
  assert.equal(isOver(), false)
  await release()
  assert.deepEqual(await ran, { code: 0, stdout: RAN, stderr: '' })
}

/** Another session in the midst of a transaction, which ends with `rollback`. */
async function inTransaction(t: TestContext, url: string, statement: string) {
  const other = new pg.Client({ connectionString: url, application_name: 'pg_dump' })
  other.on('error', () => {})
  await other.connect()
  t.after(() => other.end())
  await other.query(`begin; ${statement}`)
  return other
}

/** Waits until the process of the command line has a connection. */
const connected = (url: string) =>
  withDatabase(url, (db) =>
    until(
      async () => {
        const { rows } = await sql`select 1 from pg_stat_activity
          where application_name = 'todo-app' and datname = current_database()
            and pid <> pg_backend_pid()`.execute(db)
        return rows.length > 0
      },
      () => 'connected',
    ),
  )

test('who comes while another process migrates waits for as long as that takes', {
  skip: !isPostgresql,
}, async (t) => {
  const { url, migrating } = await installed(t)
  await withDatabase(url, undo)
  const other = await inTransaction(t, url, 'update kysely_migration_lock set is_locked = 0')
  const migration = migrating()
  await connected(url)
  await assertPatient(migration, () => other.query('rollback'))
})

test('so it is on SQLite', { skip: isPostgresql }, async (t) => {
  const place = await onSqlite(t)
  const { url, migrating } = await installed(t, Promise.resolve(place))
  await withDatabase(url, undo)
  const other = new DatabaseSync(place.path)
  t.after(() => other.close())
  other.exec('begin immediate')
  const migration = migrating()
  await assertPatient(migration, () => other.exec('rollback'))
})

test('a statement of a migration takes as long as it takes', { skip: !isPostgresql }, async (t) => {
  const { todo, url, migrating } = await installed(t)
  await todo(ANN, { input: 'rain on tin roofs' })
  await withDatabase(url, async (db) => {
    await undo(db, '0006')
    await sql`create function slowly() returns trigger language plpgsql as
      'begin perform pg_sleep(${sql.raw(String(LONG / 1000))}); return null; end'`.execute(db)
    await sql`create trigger slow before update on todos execute function slowly()`.execute(db)
  })
  const { ran } = migrating()
  const { code, stdout, stderr } = await ran
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^Ran 0006-greek-final-sigma\.\n/)
})

test('a migration that waits for a table makes others wait for moments only, and tries again', {
  skip: !isPostgresql,
}, async (t) => {
  const { url, migrating } = await installed(t)
  await withDatabase(url, undo)
  const dump = await inTransaction(t, url, 'lock table sign_in_failures in access share mode')
  const { ran, isOver } = migrating()
  const waiting = sql`select 1 from pg_locks
    where not granted and relation = 'sign_in_failures'::regclass`
  await withDatabase(url, async (db) => {
    const waits = async () => (await waiting.execute(db)).rows.length > 0
    await until(waits, () => 'it waits')
    await until(
      async () => !(await waits()),
      () => 'it lets others go first',
    )
    assert.equal(isOver(), false)
    await until(waits, () => 'it waits again')
  })
  await dump.query('rollback')
  assert.deepEqual(await ran, { code: 0, stdout: RAN, stderr: '' })
})

test('a migration that waited for a table in vain says who has it', {
  skip: !isPostgresql,
}, async (t) => {
  const { url } = await installed(t)
  await withDatabase(url, undo)
  await inTransaction(t, url, 'lock table sign_in_failures in access share mode')
  await withDatabase(url, (db) =>
    assert.rejects(migrate(db, 0), /others held for too long: process \d+ \(pg_dump\)\. Wait/),
  )
})
