import { sql } from 'kysely'
import { codeOf } from '../lib/code.ts'
import { hasTable, isSqlite } from './dialect.ts'
import { DatabaseRefused } from './refusal.ts'
import { isBusy } from './sqlite-failure.ts'
import { type Db, tableNames } from './tables.ts'

/** In the table that Kysely would make. */
export const LOCK_TABLE = 'kysely_migration_lock'
const LOCK_ROW = 'migration_lock'

/**
 * How long a migration waits for a table that a transaction of others holds, in milliseconds: not longer,
 * since all who want the table meanwhile wait behind it.
 */
const LOCK_TIMEOUT = 1_000

/**
 * Does `work` in one transaction, all or nothing, which takes as long as it takes; gives undefined where
 * another process is doing it. What keeps two processes apart is that transaction's write lock in SQLite, and
 * in PostgreSQL a row that it writes. (Kysely would take an advisory lock of the session there, which poolers
 * and distributed databases do not know.) Where transactions are stricter than `read committed`, who took the
 * row right after another one fails with 40001.
 */
export async function exclusively<Result>(
  db: Db,
  work: (db: Db) => Promise<Result>,
): Promise<Result | undefined> {
  if (isSqlite(db)) return db.transaction().execute(work)
  await makeLock(db)
  return db.transaction().execute(async (db) => {
    await sql`set local statement_timeout = 0`.execute(db)
    await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(db)
    // A process that is ended must not leave a long statement behind with its locks. (PostgreSQL 14; not on Windows.)
    await sql`select set_config(name, '10s', true) from pg_settings
      where name = 'client_connection_check_interval'
        and version() !~* 'windows|mingw|visual'`.execute(db)
    const { rows } = await sql`select id from ${sql.table(LOCK_TABLE)} where id = ${LOCK_ROW}
      for update skip locked`.execute(db)
    if (rows.length === 0) return undefined
    await sql`update ${sql.table(LOCK_TABLE)} set is_locked = 0 where id = ${LOCK_ROW}`.execute(db)
    return work(db)
  })
}

async function makeLock(db: Db): Promise<void> {
  try {
    await sql`create table if not exists ${sql.table(LOCK_TABLE)} (
      id varchar(255) not null primary key,
      is_locked integer not null default 0
    )`.execute(db)
  } catch (error) {
    // `if not exists` does not see what another process is just making.
    if (!(await hasTable(db, LOCK_TABLE))) throw error
  }
  // `on conflict` alone would wait for who has the row locked.
  await sql`insert into ${sql.table(LOCK_TABLE)} (id) select ${LOCK_ROW}
    where not exists (select 1 from ${sql.table(LOCK_TABLE)} where id = ${LOCK_ROW})
    on conflict do nothing`.execute(db)
}

/** Whether others held for too long what a migration needs: all of SQLite's file, or a table in PostgreSQL. */
export const isLocked = (error: unknown): boolean => isBusy(error) || codeOf(error) === '55P03'

/** That error in words that name who holds what, where the database knows. */
export async function namingHolders(db: Db, error: unknown): Promise<unknown> {
  if (isSqlite(db)) return error
  const { rows } = await sql<{ pid: number; name: string }>`
    select pid, coalesce(nullif(application_name, ''), usename) as name from pg_stat_activity
    where pid <> pg_backend_pid() and pid in (
      select pid from pg_locks
      where database = (select oid from pg_database where datname = current_database()) and relation in (
        select to_regclass(name) from unnest(${[...tableNames]}::text[]) as name))`.execute(db)
  const holders = rows.map(({ pid, name }) => `process ${pid} (${name})`).join(', ')
  return new DatabaseRefused(
    `A migration needs a table that others held for too long: ${holders || 'look into pg_locks'}. ` +
      'Wait for them or end them, then try again.',
  )
}
