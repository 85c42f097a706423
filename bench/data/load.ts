import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { migrate } from '../../src/db/migrate.ts'
import { open } from '../../src/db/open.ts'
import { hash } from '../../src/lib/passwords.ts'
import { digest } from '../../src/lib/secrets.ts'
import { type Content, makeContent } from './content.ts'

export const PASSWORD = 'rain on tin roofs'
/** So many people, beside the one with the large list, make the requests; each data set has them. */
export const CALLERS = 50
const EVER = '2100-01-01T00:00:00.000Z'
const BATCH = 10_000

/** The cookie of a person's browser. */
export const cookieOf = (id: number): string => digest(`cookie ${id}`)

/** Brings the schema of this version to the database at `url`. */
async function migrateAt(url: string): Promise<void> {
  const pool = { connections: 1, connectTimeout: 3000, statementTimeout: 600_000 }
  const db = await open(url, { pool, onConnectionLost: () => {} })
  await migrate(db)
  await db.destroy()
}

const columns = {
  users: 'id, email, email_key, password_hash, fname, lname, created_at, updated_at',
  sessions: 'id, user_id, cookie_digest, created_at, last_used_at, expires_at',
  todos: 'id, owner_id, text, text_key, sort_key, completed_at, created_at, updated_at',
} as const

function* tuples(
  { people, rows }: Content,
  table: keyof typeof columns,
  passwordHash: string,
): Generator<Array<string | number | null>> {
  if (table === 'todos') {
    // The made-up words are ASCII, so that folding them is no more than this.
    for (const { id, owner_id, text, completed_at, created_at, updated_at } of rows()) {
      const key = text.toLowerCase()
      yield [id, owner_id, text, key, key.slice(0, 100), completed_at, created_at, updated_at]
    }
    return
  }
  const at = '2024-01-01T00:00:00.000Z'
  for (const { id, email, fname, lname } of people) {
    if (table === 'users') yield [id, email, email, passwordHash, fname, lname, at, at]
    else if (id <= CALLERS + 1) yield [id, id, digest(cookieOf(id)), at, EVER, EVER]
  }
}

/** Counts the todos of everybody, or of those that `where` leaves. */
export const count = (where = '') => `insert into todo_counts select owner_id,
  count(*) filter (where completed_at is null), count(*) filter (where completed_at is not null)
  from todos ${where} group by owner_id`

/** What decides on the content of a data set: one that was made by other files is made anew. */
function kind(): string {
  const root = resolve(import.meta.dirname, '../..')
  const digest = createHash('sha256')
  for (const path of globSync(['src/db/migrations/*.ts', 'bench/data/*.ts'], {
    cwd: root,
  }).sort()) {
    digest.update(readFileSync(resolve(root, path)))
  }
  return digest.digest('hex').slice(0, 8)
}

/** Fills a SQLite file, where it is not there yet, and gives its URL. */
export async function loadSqlite(size: number): Promise<string> {
  const directory = resolve('.tmp/bench')
  const path = resolve(directory, `${size}-${kind()}.db`)
  const url = `sqlite:///${path}`
  if (existsSync(path)) return url
  mkdirSync(directory, { recursive: true })
  for (const old of globSync(`${directory}/${size}-*`)) rmSync(old)
  await fillSqlite(`${path}.unfinished`, size)
  renameSync(`${path}.unfinished`, path)
  return url
}

/** The indexes and triggers are made again after the rows. */
async function fillSqlite(unfinished: string, size: number): Promise<void> {
  await migrateAt(`sqlite:///${unfinished}`)
  const database = new DatabaseSync(unfinished)
  database.exec(`pragma journal_mode = off; pragma synchronous = off; pragma foreign_keys = off;
    pragma cache_size = -400000`)
  const later = database
    .prepare(
      "select type, name, sql from sqlite_master where tbl_name = 'todos' and type in ('index', 'trigger') and sql is not null",
    )
    .all()
  for (const { type, name } of later) database.exec(`drop ${type} ${name}`)
  const content = makeContent(size)
  const passwordHash = await hash(PASSWORD)
  database.exec('begin')
  for (const table of ['users', 'sessions', 'todos'] as const) {
    const places = columns[table].replace(/\w+/g, '?')
    const insert = database.prepare(`insert into ${table} (${columns[table]}) values (${places})`)
    for (const tuple of tuples(content, table, passwordHash)) insert.run(...tuple)
  }
  database.exec('commit')
  database.exec(count())
  for (const { sql } of later) database.exec(String(sql))
  database.exec('pragma journal_mode = wal')
  database.close()
}

const at = (server: string, database: string): string => {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

/** Fills a database of the PostgreSQL server at `server`, where it is not there yet, and gives its URL. */
export async function loadPostgresql(server: string, size: number): Promise<string> {
  const name = `bench_${size}_${kind()}`
  const administrator = new pg.Client({ connectionString: server })
  await administrator.connect()
  const { rowCount } = await administrator.query('select from pg_database where datname = $1', [
    name,
  ])
  if (!rowCount) {
    const { rows: old } = await administrator.query<{ datname: string }>(
      'select datname from pg_database where datname like $1',
      [`bench\\_${size}\\_%`],
    )
    for (const { datname } of old) await administrator.query(`drop database ${datname}`)
    await administrator.query(`create database ${name}_unfinished`)
    await fillPostgresql(at(server, `${name}_unfinished`), size)
    await administrator.query(`alter database ${name}_unfinished rename to ${name}`)
  }
  await administrator.end()
  return at(server, name)
}

/** The indexes are made again after the rows. */
async function fillPostgresql(url: string, size: number): Promise<void> {
  await migrateAt(url)

  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // Neither triggers nor foreign keys are checked in this session.
  await client.query('set session_replication_role = replica')
  await client.query("set maintenance_work_mem = '512MB'")
  const { rows: indexes } = await client.query<{ name: string; sql: string }>(
    "select indexname as name, indexdef as sql from pg_indexes where tablename = 'todos' and indexname <> 'todos_pkey'",
  )
  for (const index of indexes) await client.query(`drop index ${index.name}`)
  const content = makeContent(size)
  const passwordHash = await hash(PASSWORD)
  for (const table of ['users', 'sessions', 'todos'] as const) {
    const names = columns[table].split(', ')
    const kinds = names.map((column) =>
      /^(id|user_id|owner_id)$/.test(column) ? 'bigint' : 'text',
    )
    const arrays = kinds.map((kind, index) => `$${index + 1}::${kind}[]`).join(', ')
    const insert = `insert into ${table} (${columns[table]}) select * from unnest(${arrays})`
    let batch: Array<Array<string | number | null>> = []
    const flush = async () => {
      await client.query(
        insert,
        names.map((_, column) => batch.map((tuple) => tuple[column])),
      )
      batch = []
    }
    for (const tuple of tuples(content, table, passwordHash)) {
      batch.push(tuple)
      if (batch.length === BATCH) await flush()
    }
    if (batch.length > 0) await flush()
    await client.query(
      `select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`,
    )
  }
  await client.query(count())
  for (const index of indexes) await client.query(index.sql)
  await client.query('vacuum analyze')
  await client.end()
}
