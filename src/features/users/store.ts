import { sql } from 'kysely'
import { isSqlite } from '../../db/dialect.ts'
import { countOf } from '../../db/queries.ts'
import type { Db, UserRow } from '../../db/tables.ts'
import { notFound } from '../../lib/problem.ts'
import { fold } from '../../lib/text.ts'
import { now } from '../../lib/time.ts'
import type { User } from './schema.ts'

export const columns = [
  'users.id',
  'users.email',
  'users.fname',
  'users.lname',
  'users.admin_since',
  'users.created_at',
  'users.updated_at',
] as const

type Columns = Pick<
  UserRow,
  'id' | 'email' | 'fname' | 'lname' | 'admin_since' | 'created_at' | 'updated_at'
>

/** The columns as the API shows them. */
export const shown = (row: Columns): User => ({
  id: row.id,
  email: row.email,
  fname: row.fname,
  lname: row.lname,
  is_admin: row.admin_since !== null,
  created_at: row.created_at,
  updated_at: row.updated_at,
})

export async function list(
  db: Db,
  { offset, limit }: { offset: number; limit: number },
): Promise<User[]> {
  const rows = await db
    .selectFrom('users')
    .select(columns)
    .orderBy('id')
    .limit(limit)
    .offset(offset)
    .execute()
  return rows.map(shown)
}

/** Every account with the number of its changes. */
export const listVersions = (db: Db): Promise<Array<Pick<UserRow, 'id' | 'email' | 'version'>>> =>
  db.selectFrom('users').select(['id', 'email', 'version']).execute()

export const count = (db: Db): Promise<number> => countOf(db.selectFrom('users'))

/** Whether there is an account at all. */
export async function isAny(db: Db): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined
}

export async function find(db: Db, id: number): Promise<User | undefined> {
  const row = await db.selectFrom('users').select(columns).where('id', '=', id).executeTakeFirst()
  return row && shown(row)
}

export async function get(db: Db, id: number): Promise<User> {
  const user = await find(db, id)
  if (!user) throw notFound('User')
  return user
}

/** What a password is compared with, and the version of the account that it is of. */
export type KeptPassword = Pick<UserRow, 'id' | 'password_hash' | 'version'>

/** The account that an e-mail address, in whatever case, signs in to. */
export async function findByEmail(db: Db, email: string): Promise<KeptPassword | undefined> {
  return db
    .selectFrom('users')
    .select(['id', 'password_hash', 'version'])
    .where('email_key', '=', fold(email))
    .executeTakeFirst()
}

export async function getKeptPassword(db: Db, id: number): Promise<KeptPassword> {
  const row = await db
    .selectFrom('users')
    .select(['id', 'password_hash', 'version'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound('User')
  return row
}

/** Whether the account is of that version still; if so, it stays until the transaction ends. */
export async function hold(db: Db, { id, version }: KeptPassword): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('id')
    .where('id', '=', id)
    .where('version', '=', version)
    // A transaction of SQLite's holds all.
    .$if(!isSqlite(db), (users) => users.forNoKeyUpdate())
    .executeTakeFirst()
  return row !== undefined
}

interface NewUser {
  readonly email: string
  readonly password_hash: string
  readonly fname: string
  readonly lname: string
  readonly is_admin?: boolean
}

/** Makes an account; undefined when the e-mail address has one already. */
export async function create(
  db: Db,
  { is_admin = false, ...user }: NewUser,
): Promise<User | undefined> {
  const at = now()
  const row = await db
    .insertInto('users')
    .values({
      ...user,
      email_key: fold(user.email),
      admin_since: is_admin ? at : null,
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.column('email_key').doNothing())
    .returning(columns)
    .executeTakeFirst()
  return row && shown(row)
}

type UserChanges = Partial<Pick<NewUser, 'email' | 'password_hash' | 'fname' | 'lname'>>

/** Changes an account, which must exist and whose new e-mail address must be free. */
export async function update(db: Db, id: number, changes: UserChanges): Promise<User> {
  const row = await db
    .updateTable('users')
    .set({
      ...changes,
      ...(changes.email === undefined ? {} : { email_key: fold(changes.email) }),
      version: sql`version + 1`,
      updated_at: now(),
    })
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst()
  if (!row) throw notFound('User')
  return shown(row)
}

/** Whether another account than `id` has this e-mail address. */
export async function isTaken(db: Db, email: string, id: number): Promise<boolean> {
  const other = await findByEmail(db, email)
  return other !== undefined && other.id !== id
}

/** Keeps the same password under a newer hash, unless it was changed; nothing that anyone sees changes. */
export async function rehash(db: Db, kept: KeptPassword, password_hash: string): Promise<void> {
  await db
    .updateTable('users')
    .set({ password_hash })
    .where('id', '=', kept.id)
    .where('password_hash', '=', kept.password_hash)
    .execute()
}

export async function promote(db: Db, id: number): Promise<void> {
  await db
    .updateTable('users')
    .set({ admin_since: now(), version: sql`version + 1`, updated_at: now() })
    .where('id', '=', id)
    .where('admin_since', 'is', null)
    .execute()
}

export async function demote(db: Db, id: number): Promise<void> {
  await db
    .updateTable('users')
    .set({ admin_since: null, version: sql`version + 1`, updated_at: now() })
    .where('id', '=', id)
    .where('admin_since', 'is not', null)
    .execute()
}

/**
 * Erases the account and everything it owns. The foreign keys would do that, but in another order than
 * who adds a todo meanwhile takes its locks (key, todo, count, user), and then one of two must fail.
 * To be called in a transaction.
 */
export async function remove(db: Db, id: number): Promise<void> {
  await db.deleteFrom('idempotency_keys').where('user_id', '=', id).execute()
  await db.deleteFrom('todos').where('owner_id', '=', id).execute()
  await db.deleteFrom('todo_counts').where('owner_id', '=', id).execute()
  await db.deleteFrom('users').where('id', '=', id).execute()
}
