// The ceiling: what Node and the database can do at all. A bare node:http server that runs the same
// statements, prepared, makes the same session check and answers the same JSON; no framework, no query
// builder, no validation, no log. Settings come from DATABASE_URL, SECRET_KEY and PORT.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { createVerifier } from 'fast-jwt'
import pg from 'pg'

type Value = string | number | null
type Row = Record<string, Value>
type Run = (text: string, values: readonly Value[]) => Promise<Row[]>

const { DATABASE_URL = '', SECRET_KEY = '', PORT = '0' } = process.env
const BASE = '/api/v1/todos'

function sqlite(path: string): Run {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000')
  const kept = new Map<string, ReturnType<typeof database.prepare>>()
  return async (text, values) => {
    let statement = kept.get(text)
    if (!statement) {
      statement = database.prepare(text)
      kept.set(text, statement)
    }
    return statement.all(...values) as Row[]
  }
}

function postgresql(url: string): Run {
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
  }
  const pool = new pg.Pool({ connectionString: url, max: 10, types })
  const names = new Map<string, string>()
  return async (text, values) => {
    const numbered = names.get(text) ?? `c${names.size}`
    names.set(text, numbered)
    let index = 0
    const query = { name: numbered, text: text.replace(/\?/g, () => `$${++index}`) }
    return (await pool.query<Row>({ ...query, values: [...values] })).rows
  }
}

const isSqlite = DATABASE_URL.startsWith('sqlite')
const run = isSqlite ? sqlite(DATABASE_URL.replace(/^sqlite:\/\/\//, '')) : postgresql(DATABASE_URL)

const COLUMNS = 'id, text, completed_at, owner_id, version, created_at, updated_at'
const LIVE = `select users.id, users.admin_since, users.version, sessions.id as session_id
  from sessions inner join users on users.id = sessions.user_id where sessions.expires_at > ?`
const BY_ID = `${LIVE} and sessions.user_id = ? and sessions.id = ?`
const BY_COOKIE = `${LIVE} and sessions.cookie_digest = ? and sessions.last_used_at > ?`
const COUNTS = 'select open, completed from todo_counts where owner_id = ?'
const PAGE = `select ${COLUMNS}, sort_key from todos where owner_id = ? order by id limit ? offset ?`
const AFTER = `select ${COLUMNS}, sort_key from todos where owner_id = ? and id > ? order by id limit ?`
const ONE = `select todos.id, todos.text, todos.completed_at, todos.owner_id, todos.version,
  todos.created_at, todos.updated_at, users.email, users.fname, users.lname, users.admin_since,
  users.version as owner_version, users.created_at as owner_created_at, users.updated_at as owner_updated_at
  from todos inner join users on users.id = todos.owner_id where owner_id = ? and todos.id = ?`
// In PostgreSQL a write counts the todo too; in SQLite triggers do.
const COUNT_ADDED = `with counted as (insert into todo_counts (owner_id, open, completed) values (?, 1, 0)
  on conflict (owner_id) do update set open = todo_counts.open + 1)`
const COUNT_TICKED = `with old as (select id, completed_at from todos
    where owner_id = ? and id = ? and version = ? for update),
  counted as (update todo_counts set open = open - 1, completed = completed + 1
    from old where owner_id = ? and old.completed_at is null)`
const COUNT_UNTICKED = COUNT_TICKED.replace('open - 1', 'open + 1')
  .replace('completed + 1', 'completed - 1')
  .replace('is null', 'is not null')
const INSERT = `${isSqlite ? '' : COUNT_ADDED} insert into todos (owner_id, text, text_key, sort_key, completed_at, created_at, updated_at)
  values (?, ?, ?, ?, ?, ?, ?) returning ${COLUMNS}`
const SET = 'version = version + 1, updated_at = ?'
const WHICH = `where owner_id = ? and id = ${isSqlite ? '? and version = ?' : '(select id from old)'} returning ${COLUMNS}`
const TICK = `${isSqlite ? '' : COUNT_TICKED} update todos set completed_at = coalesce(completed_at, ?), ${SET} ${WHICH}`
const UNTICK = `${isSqlite ? '' : COUNT_UNTICKED} update todos set completed_at = null, ${SET} ${WHICH}`
const contains = (column: string) =>
  isSqlite ? `instr(cast(${column} as blob), cast(? as blob)) > 0` : `${column} like ? escape '\\'`
const MATCHES = `select id from todos where owner_id = ? and ${contains('sort_key')}
  union all select id from todos where owner_id = ? and text_key <> sort_key
    and ${contains('text_key')} and not ${contains('sort_key')}`
const IDS = isSqlite ? 'json_group_array(id)' : "coalesce(array_agg(id), '{}')::text"
const SEARCH = `select count(*) as total, case when count(*) <= 1000 then ${IDS} end as ids
  from (${MATCHES}) as matches`
const AMONG = isSqlite ? 'id in (select value from json_each(?))' : 'id = any(?::bigint[])'
const FOUND = `select ${COLUMNS} from todos where owner_id = ? and ${contains('text_key')} and ${AMONG} order by id limit ?`
const WALK = `select ${COLUMNS} from todos
  where owner_id = ? and coalesce(${contains('text_key')}, false) order by id limit ?`

const verify = createVerifier({ key: SECRET_KEY, algorithms: ['HS256'], cache: 10_000 })

async function callerOf({ headers }: IncomingMessage): Promise<Row | undefined> {
  const now = new Date().toISOString()
  if (headers.authorization) {
    const { sub, sid } = verify(headers.authorization.slice(7))
    return (await run(BY_ID, [now, Number(sub), sid]))[0]
  }
  const secret = /session=([\w-]+)/.exec(headers.cookie ?? '')?.[1] ?? ''
  const digest = createHash('sha256').update(secret).digest('base64url')
  return (await run(BY_COOKIE, [now, digest, '']))[0]
}

const shown = (row: Row) => ({
  id: row.id,
  text: row.text,
  completed: row.completed_at !== null,
  owner_id: row.owner_id,
  created_at: row.created_at,
  updated_at: row.updated_at,
})

function send(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

async function found(owner: number, text: string, limit: number) {
  const part = text.toLowerCase()
  const sought = isSqlite ? part : `%${part}%`
  const match = [owner, sought, owner, sought, sought]
  const [matches] = await run(SEARCH, match)
  const total = Number(matches?.total)
  const rows = matches?.ids
    ? await run(FOUND, [owner, sought, matches.ids, limit])
    : await run(WALK, [owner, sought, limit])
  return { rows, total }
}

async function list(owner: number, query: URLSearchParams) {
  const q = query.get('q')
  if (q) return found(owner, q, 11)
  const [counts] = await run(COUNTS, [owner])
  const total = Number(counts?.open ?? 0) + Number(counts?.completed ?? 0)
  const cursor = query.get('cursor')
  if (cursor) {
    const { id } = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return { total, rows: await run(AFTER, [owner, id, 11]) }
  }
  return { total, rows: await run(PAGE, [owner, 11, Number(query.get('offset') ?? 0)]) }
}

const bodyOf = async (
  request: IncomingMessage,
): Promise<{ text?: string; completed?: boolean }> => {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return JSON.parse(text)
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  if (path === '/health') return send(response, 200, {})
  const caller = await callerOf(request)
  if (!caller) return send(response, 401, {})
  const owner = Number(caller.id)
  const id = Number(path.slice(BASE.length + 1))
  const now = new Date().toISOString()
  if (request.method === 'GET' && !id) {
    const { rows, total } = await list(owner, new URLSearchParams(query))
    const next = Buffer.from(
      JSON.stringify({ sort: 'id', direction: 'after', key: '', id: rows[9]?.id }),
    ).toString('base64url')
    const Link = `<${path}>; rel="first", <${path}?cursor=${next}>; rel="next"`
    return send(response, 200, rows.slice(0, 10).map(shown), { 'X-Total-Count': total, Link })
  }
  if (request.method === 'GET') {
    const [row] = await run(ONE, [owner, id])
    if (!row) return send(response, 404, {})
    const nested = {
      id: owner,
      email: row.email,
      fname: row.fname,
      lname: row.lname,
      is_admin: row.admin_since !== null,
      created_at: row.owner_created_at,
      updated_at: row.owner_updated_at,
    }
    const ETag = `"${row.version}.${row.owner_version}"`
    return send(response, 200, { ...shown(row), owner: nested }, { ETag })
  }
  const body = await bodyOf(request)
  if (request.method === 'POST') {
    const { text = '' } = body
    const key = text.normalize('NFKC').toLowerCase().normalize('NFKC')
    const todo = [owner, text, key, key.slice(0, 100), null, now, now]
    const [row] = await run(INSERT, isSqlite ? todo : [owner, ...todo])
    return send(response, 201, row && shown(row), { ETag: `"${row?.version}.${caller.version}"` })
  }
  const version = Number(/^"(\d+)/.exec(request.headers['if-match'] ?? '')?.[1])
  const times = body.completed ? [now, now] : [now]
  const [row] = await run(
    body.completed ? TICK : UNTICK,
    isSqlite ? [...times, owner, id, version] : [owner, id, version, owner, ...times, owner],
  )
  if (!row) return send(response, 412, {})
  send(response, 200, shown(row), { ETag: `"${row.version}.${caller.version}"` })
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    // A load that ends leaves requests half sent.
    if (request.destroyed) return
    console.error(error)
    send(response, 500, {})
  })
})
server.listen(Number(PORT), '127.0.0.1')
