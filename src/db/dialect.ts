import { type Kysely, type RawBuilder, type SqlBool, SqliteAdapter, sql } from 'kysely'
import type { PoolUse } from '../lib/pool-use.ts'
import { comparisonsMax, containing } from '../lib/text.ts'
import { PooledPostgresAdapter } from './postgresql-adapter.ts'
import { NodeSqliteAdapter } from './sqlite-adapter.ts'
import type { Db } from './tables.ts'

/** The only real differences between the databases, each named by what it is for. */

export const isSqlite = <Schema>(db: Kysely<Schema>): boolean =>
  db.getExecutor().adapter instanceof SqliteAdapter

/** The highest id that `table` ever gave; 0 when it gave none. */
export async function lastId(db: Db, table: string): Promise<number> {
  const { rows } = isSqlite(db)
    ? await sql<{
        id: number
      }>`select seq as id from sqlite_sequence where name = ${table}`.execute(db)
    : await sql<{ id: number | null }>`
        select pg_sequence_last_value(pg_get_serial_sequence(${table}, 'id')::regclass) as id`.execute(
        db,
      )
  return rows[0]?.id ?? 0
}

/** Makes the ids that `table` gives from now on higher than `id`. */
export async function setLastId(db: Db, table: string, id: number): Promise<void> {
  if (isSqlite(db)) {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(db)
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${id})`.execute(db)
  } else if (id > 0) {
    await sql`select setval(pg_get_serial_sequence(${table}, 'id')::regclass, ${id})`.execute(db)
  }
}

/** Whether there is a table `name` where unqualified names lead. */
export async function hasTable<Schema>(db: Kysely<Schema>, name: string): Promise<boolean> {
  const { rows } = isSqlite(db)
    ? await sql`select 1 from sqlite_schema where type = 'table' and name = ${name}`.execute(db)
    : await sql`select 1 where to_regclass(${name}) is not null`.execute(db)
  return rows.length > 0
}

/** Which of `names` are taken where a new table would be made: by a table, or by anything else. */
export async function takenNames<Schema>(
  db: Kysely<Schema>,
  names: readonly string[],
): Promise<string[]> {
  const among = sql.join(names)
  const { rows } = isSqlite(db)
    ? await sql<{ name: string }>`
        select lower(name) as name from sqlite_schema where lower(name) in (${among})`.execute(db)
    : await sql<{ name: string }>`
        select relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = current_schema() and relname in (${among})`.execute(db)
  return rows.map(({ name }) => name)
}

/** The longest time that anyone has waited by now for a connection, or for their turn on one, in milliseconds. */
export function longestWait<Schema>(db: Kysely<Schema>): number {
  const { adapter } = db.getExecutor()
  const isWatched = adapter instanceof PooledPostgresAdapter || adapter instanceof NodeSqliteAdapter
  return isWatched ? adapter.longestWait() : 0
}

/** How the connections are used; undefined where there is no pool of them. */
export function poolUse<Schema>(db: Kysely<Schema>): PoolUse | undefined {
  const { adapter } = db.getExecutor()
  return adapter instanceof PooledPostgresAdapter ? adapter.use() : undefined
}

/** All values of `column`, ids, as one text to be used with `isAmong`. */
export const allOf = (db: Db, column: string): RawBuilder<string> =>
  isSqlite(db)
    ? sql`json_group_array(${sql.ref(column)})`
    : sql`coalesce(array_agg(${sql.ref(column)}), '{}')::text`

/** That `column` is one of the `values` of `allOf`, however many, by one parameter. */
export const isAmong = (db: Db, column: string, values: string): RawBuilder<SqlBool> =>
  isSqlite(db)
    ? sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${values}))`
    : sql<SqlBool>`${sql.ref(column)} = any(${values}::bigint[])`

/** A word that does not repeat itself takes six, and `like` is as quick for twice as many. */
const COMPARISONS_FEW = 12

/**
 * Whether PostgreSQL finds `part` sooner by `position`, which compares from the end of the part and skips places (Boyer,
 * Moore and Horspool), than by `like`, which compares from its start at each. A comparison of the first takes a quarter of the time.
 */
function isSoonerByPosition(part: string): boolean {
  const characters = [...part]
  const byLike = comparisonsMax(characters)
  return byLike > COMPARISONS_FEW && byLike > comparisonsMax(characters.toReversed()) / 4
}

/**
 * That the folded text in `column` has `part` in it somewhere, which is folded too. SQLite compares bytes
 * more quickly than it looks for a pattern, and UTF-8 has no part that is found where it does not begin.
 */
export function contains(db: Db, column: string, part: string): RawBuilder<SqlBool> {
  const text = sql.ref(column)
  if (isSqlite(db)) return sql`instr(cast(${text} as blob), cast(${part} as blob)) > 0`
  if (isSoonerByPosition(part)) return sql`position(${part} in ${text}) > 0`
  return sql`${text} like ${containing(part)} escape '\\'`
}

/** The words of a table definition in which the databases differ. */
export interface Words {
  readonly integer: RawBuilder<unknown>
  /** Text that is ordered and compared by code point. */
  readonly text: RawBuilder<unknown>
  /** An id that counts up and is never given again, and is the table's key by itself. */
  readonly idAlone: RawBuilder<unknown>
  /** The same, where the table's key is `ownedKey`: the owner, then the id. */
  readonly ownedId: RawBuilder<unknown>
  readonly ownedKey: (owner: string) => RawBuilder<unknown>
}

export const wordsOf = <Schema>(db: Kysely<Schema>): Words =>
  isSqlite(db)
    ? {
        integer: sql`integer`,
        text: sql`text`,
        idAlone: sql`integer primary key autoincrement`,
        ownedId: sql`integer primary key autoincrement`,
        ownedKey: (owner) => sql`unique (${sql.ref(owner)}, id)`,
      }
    : {
        integer: sql`bigint`,
        text: sql`text collate "C"`,
        idAlone: sql`bigint generated by default as identity primary key`,
        ownedId: sql`bigint generated by default as identity`,
        ownedKey: (owner) => sql`primary key (${sql.ref(owner)}, id)`,
      }
