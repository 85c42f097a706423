// Transactions of others that hold what a write needs, on PostgreSQL.
import { sql } from 'kysely'
import pg from 'pg'
import { until } from './server.ts'
import type { Db } from '../src/db/tables.ts'

/** Another client in the midst of a transaction that has run `statement`; its end is the transaction's. */
export async function inTransaction(databaseUrl: string, statement: string): Promise<pg.Client> {
  const other = new pg.Client({ connectionString: databaseUrl })
  // Where a test fails, its database is taken away first.
  other.on('error', () => {})
  await other.connect()
  await other.query(`begin; ${statement}`)
  return other
}

/** Holds what every insert of a todo needs, until the function that it gives is called. */
export async function blockTodos(databaseUrl: string): Promise<() => Promise<void>> {
  const other = await inTransaction(databaseUrl, 'lock table todos in exclusive mode')
  return () => other.end()
}

/** Waits until so many statements wait for another transaction. */
export async function waitingForLocks(db: Db, count: number): Promise<void> {
  const isWaiting = async () => {
    const { rows } = await sql`select pid from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`.execute(db)
    return rows.length >= count
  }
  await until(isWaiting, () => `${count} statements wait`)
}
