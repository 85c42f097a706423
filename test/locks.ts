// Transactions of others that hold what a write needs, on PostgreSQL.
import { sql } from 'kysely'
import pg from 'pg'
import { until } from './server.ts'
import type { Db } from '../src/db/tables.ts'

/** Holds what every insert of a todo needs, until the function that it gives is called. */
export async function blockTodos(databaseUrl: string): Promise<() => Promise<void>> {
  const other = new pg.Client({ connectionString: databaseUrl })
  await other.connect()
  await other.query('begin; lock table todos in exclusive mode')
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
