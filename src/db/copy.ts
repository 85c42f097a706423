import { sql } from 'kysely'
import { lastId, setLastId } from './dialect.ts'
import { migrate, schemaState } from './migrate.ts'
import { countOf, countTodos, type TableCount } from './queries.ts'
import { DatabaseRefused } from './refusal.ts'
import { type Db, type Tables, tables } from './tables.ts'

type Row = Readonly<Record<string, unknown>>
interface Table {
  readonly name: keyof Tables
  readonly key: readonly string[]
}

/** How many rows are read and written at a time. */
const PAGE = 500

/**
 * Copies every row of `from` into `to`, which may be of the other kind, as one transaction; then
 * reads both again and compares them row by row before it commits. `from` is read as it was at one
 * moment. Throws `DatabaseRefused` when `from` is not of this version, when `to` holds any row, or
 * when the two differ afterwards; `to` is then left empty.
 */
export async function copyAll(from: Db, to: Db): Promise<TableCount[]> {
  const { pending, unknown } = await schemaState(from)
  if (unknown.length > 0) throw new DatabaseRefused('The source is of a newer version.')
  if (pending.length > 0) {
    throw new DatabaseRefused('The source has migrations pending: run `todo migrate` on it first.')
  }
  await migrate(to)
  return from
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute((from) =>
      to.transaction().execute(async (to) => {
        await refuseUnlessEmpty(to)
        for (const table of tables) await copyTable(from, to, table)
        await countTodos(to)
        const counts: TableCount[] = []
        for (const table of tables) counts.push(await compareTable(from, to, table))
        return counts
      }),
    )
}

async function refuseUnlessEmpty(db: Db): Promise<void> {
  for (const { name } of tables) {
    const rows = await countOf(db.selectFrom(name))
    if (rows > 0) {
      throw new DatabaseRefused(
        `The destination is not empty: its table ${name} has ${rows} rows. Copy into a new database.`,
      )
    }
  }
}

async function copyTable(from: Db, to: Db, table: Table): Promise<void> {
  for await (const rows of pages(from, table)) await insert(to, table.name, rows)
  // What was deleted at the source counts too: an id that was given once is not given again.
  if (table.key.includes('id')) await setLastId(to, table.name, await lastId(from, table.name))
}

/** All rows of a table in the order of its key, which is the same in both databases. */
async function* pages(db: Db, { name, key }: Table): AsyncGenerator<readonly Row[]> {
  const columns = sql.join(key.map((column) => sql.ref(column)))
  for (let last: Row | undefined; ; ) {
    const beyond = last ? sql`where (${columns}) > (${values(last, key)})` : sql``
    const { rows } = await sql<Row>`
      select * from ${sql.table(name)} ${beyond} order by ${columns} limit ${PAGE}`.execute(db)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) return
    last = rows.at(-1)
  }
}

const values = (row: Row, columns: readonly string[]) =>
  sql.join(columns.map((column) => sql`${row[column]}`))

async function insert(db: Db, name: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  const tuples = rows.map((row) => sql`(${values(row, columns)})`)
  await sql`
    insert into ${sql.table(name)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(tuples)}`.execute(db)
}

async function compareTable(from: Db, to: Db, table: Table): Promise<TableCount> {
  const copies = pages(to, table)
  let rows = 0
  for await (const page of pages(from, table)) {
    const { value: copy = [] } = await copies.next()
    const differing = page.find((row, index) => !isSame(row, copy[index]))
    if (differing || page.length !== copy.length) throw differs(table)
    rows += page.length
  }
  const { done } = await copies.next()
  if (!done || rows !== (await countOf(to.selectFrom(table.name)))) throw differs(table)
  return { name: table.name, rows }
}

const isSame = (row: Row, copy: Row | undefined): boolean =>
  copy !== undefined &&
  Object.keys(row).length === Object.keys(copy).length &&
  Object.entries(row).every(([column, value]) => copy[column] === value)

const differs = ({ name }: Table) =>
  new DatabaseRefused(`The copy of the table ${name} differs from the original. Nothing was kept.`)
