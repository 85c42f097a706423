import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type TestContext, test } from 'node:test'
import { CompiledQuery, sql } from 'kysely'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Db } from '../src/db/tables.ts'
import { link, SORTS } from './list-pages.ts'
import { isPostgresql, PASSWORD, type Person, type World, world } from './world.ts'

const TODOS = '/api/v1/todos'
const LARGE = ['todos', 'users']

/** The routes that are about neither. */
const APART =
  /^(GET|POST) (\/|\/health|\/ready|\/theme|\/openapi\.json|\/docs(\/.*)?|\/assets\/\*)$/

/** Asks for everything that reads or writes todos or users. */
async function useAll(here: World): Promise<void> {
  const { ann, bob, nobody, person } = here
  const admin = await person('root', { is_admin: true })
  await useTodos(ann)
  for (const url of [`/api/v1/users/${ann.id}`, '/api/v1/auth/me/export']) await ann.get(url)
  await admin.get('/api/v1/users')
  await admin.get(`${TODOS}?user_id=${ann.id}`)
  const email = 'new@example.com'
  const account = { email, password: PASSWORD, fname: 'New', lname: 'Person' }
  assert.equal((await nobody.post('/api/v1/users/signup', account)).statusCode, 201)
  const refresh_token = bob.refreshToken
  await nobody.form('/auth/token', { grant_type: 'refresh_token', refresh_token })
  await bob.patch('/auth/me', { email: 'bob2@example.com', current_password: PASSWORD })
  await useBrowser(here)
  for (const prefix of ['', '/api/v1']) await useAccount(here, `${prefix}/auth`)
}

async function useAccount({ nobody, person }: World, auth: string): Promise<void> {
  const { email, get, patch, delete: remove } = await person(`of${auth.replaceAll('/', '-')}`)
  await get(`${auth}/me`)
  await patch(`${auth}/me`, { fname: 'Anna' })
  const answer = await nobody.form(`${auth}/token`, { username: email, password: PASSWORD })
  await nobody.form(`${auth}/revoke`, { token: answer.json().refresh_token })
  assert.equal((await remove(`${auth}/me`, {}, { password: PASSWORD })).statusCode, 204)
}

async function useTodos(ann: Person): Promise<void> {
  const todo = (await ann.post(TODOS, { text: 'Buy milk' }, { 'idempotency-key': 'k' })).json()
  for (let index = 0; index < 5; index++) await ann.post(TODOS, { text: `Todo ${index}` })
  // Too many at once to be added one by one.
  await Promise.all(
    Array.from({ length: 10 }, (_, index) => ann.post(TODOS, { text: `One of ${index}` })),
  )
  for (const sort of SORTS) {
    for (const filter of [
      '',
      '&completed=true',
      '&completed=false',
      '&q=todo',
      '&q=o&completed=false',
    ]) {
      const url = `${TODOS}?limit=2&sort=${sort}${filter}`
      const next = link(await ann.get(url), 'next')
      const back = next && link(await ann.get(next), 'prev')
      if (back) await ann.get(back)
      for (const offset of [1, 1000]) await ann.get(`${url}&offset=${offset}`)
    }
  }
  const one = `${TODOS}/${todo.id}`
  const etag = String((await ann.get(one)).headers.etag)
  await ann.patch(one, { completed: true }, { 'if-match': etag })
  await ann.patch(one, { completed: true }, { 'if-match': etag })
  await ann.put(one, { text: 'Buy oats' })
  assert.equal((await ann.delete(one)).statusCode, 204)
}

async function useBrowser({ db, nobody, ann }: World): Promise<void> {
  let cookie = ''
  const visit = async (url: string, fields?: Record<string, string>): Promise<void> => {
    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    const answer = await nobody.send(
      url,
      fields && {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      },
    )
    assert.ok(answer.statusCode < 400, `${url}: ${answer.statusCode}`)
    const given = String(answer.headers['set-cookie'] ?? '').match(/session=[\w-]+/)?.[0]
    cookie = given ?? cookie
  }
  const get = async (url: string) => {
    assert.equal((await nobody.get(url, { cookie })).statusCode, 200, url)
  }
  for (const url of ['/login', '/signup']) await get(url)
  await visit('/login', { username: ann.email, password: PASSWORD })
  for (const url of ['/home', '/home?q=todo', '/home?show=open', '/account', '/account/delete'])
    await get(url)
  for (const url of ['/account/export', '/sessions']) await get(url)
  await visit('/logout', {})

  await visit('/signup', {
    email: 'page@example.com',
    password: PASSWORD,
    fname: 'Page',
    lname: 'Reader',
  })
  await visit('/home/todos', { text: 'Water the plants', next: '/home' })
  const [one = ''] = /\/home\/todos\/\d+/.exec((await nobody.get('/home', { cookie })).body) ?? []
  await visit(one, { text: 'Water them all', tag: '"1.1"', next: '/home' })
  for (const what of ['complete', 'reopen', 'delete']) {
    await visit(`${one}/${what}`, { next: '/home' })
  }
  await visit('/account/names', { fname: 'New', lname: 'Name' })
  await visit('/account/email', { email: 'page2@example.com', current_password: PASSWORD })
  const password = 'fog on the fen'
  await visit('/account/password', { current_password: PASSWORD, password })
  await visit('/sessions/end-others', {})
  const session = await db
    .selectFrom('sessions')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  await visit(`/sessions/${session.id}/end`, {})
  await visit('/login', { username: 'page2@example.com', password })
  await nobody.get('/logout', { cookie, 'sec-fetch-site': 'same-origin' })
  await visit('/login', { username: 'page2@example.com', password })
  await visit('/account/delete', { password })
}

const Handled = Type.Object({
  request: Type.Object({
    method: Type.String(),
    routeOptions: Type.Object({ url: Type.String() }),
  }),
})

/** The routes whose handler is called from now on, with their methods. */
function handled(t: TestContext): ReadonlySet<string> {
  const routes = new Set<string>()
  const note = (message: unknown) => {
    if (!Value.Check(Handled, message)) return
    const { method, routeOptions } = message.request
    routes.add(`${method} ${routeOptions.url.replace(/(.)\/$/, '$1')}`)
  }
  subscribe('tracing:fastify.request.handler:start', note)
  t.after(() => unsubscribe('tracing:fastify.request.handler:start', note))
  return routes
}

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly Node[]
}

/** The whole tables that a statement would read, in the words of its plan. */
async function fullScans(db: Db, { sql: text, parameters }: CompiledQuery): Promise<string[]> {
  if (!isPostgresql) {
    const { rows } = await db.executeQuery<{ detail: string }>(
      CompiledQuery.raw(`explain query plan ${text}`, [...parameters]),
    )
    return rows
      .map(({ detail }) => detail)
      .filter((detail) => LARGE.includes(/^SCAN (\w+)/.exec(detail)?.[1] ?? ''))
  }
  // Tables this small are read whole, unless it is forbidden: then only where there is no other way.
  return db.transaction().execute(async (db) => {
    await sql`set local enable_seqscan = off`.execute(db)
    await sql`set local enable_bitmapscan = off`.execute(db)
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': Array<{ Plan: Node }> }>(
      CompiledQuery.raw(`explain (format json) ${text}`, [...parameters]),
    )
    return rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan }) => scansIn(Plan)))
  })
}

function scansIn(node: Node): string[] {
  const below = (node.Plans ?? []).flatMap(scansIn)
  const isWhole =
    LARGE.includes(node['Relation Name'] ?? '') &&
    /Scan/.test(node['Node Type']) &&
    node['Index Cond'] === undefined
  return isWhole ? [`${node['Node Type']} of ${node['Relation Name']}`, ...below] : below
}

/** What is about all accounts: the administrators' list, and how many there are. */
const isOfAllUsers = (text: string): boolean => / from "users"( order by "id" limit |$)/.test(text)

test('no statement that a request sends reads all todos or all users', async (t) => {
  const here = await world(t)
  const routes = handled(t)
  await useAll(here)
  const all = [...here.app.routeTable].flatMap(([path, methods]) =>
    [...methods].filter((method) => method !== 'HEAD').map((method) => `${method} ${path}`),
  )
  const left = all.filter((route) => !APART.test(route) && !routes.has(route))
  assert.deepEqual(left, [], 'these routes were not asked for')
  const statements = new Map(
    here
      .statements()
      .filter(({ sql: text }) => /^(with|select|insert|update|delete)\b/.test(text))
      .filter(({ sql: text }) => /"(todos|users)"/.test(text))
      .map((query) => [query.sql, query]),
  )
  assert.ok(statements.size > 60, `only ${statements.size} statements were seen`)
  let exceptions = 0
  for (const [text, query] of statements) {
    const scans = await fullScans(here.db, query)
    if (isOfAllUsers(text)) exceptions++
    else assert.deepEqual(scans, [], text)
  }
  assert.equal(exceptions, 2, 'the list of users and its length are seen')
})

test('a statement that does read all todos is found out', async (t) => {
  const { db } = await world(t)
  const query = db.selectFrom('todos').select('id').where('text', '=', 'x').compile()
  assert.equal((await fullScans(db, query)).length, 1)
})

/** The tables that Citus would distribute by the user they belong to (docs/scaling.md). */
const DISTRIBUTED = 'todos|todo_counts|idempotency_keys'

const times = (text: string, pattern: string) => text.match(new RegExp(pattern, 'g'))?.length ?? 0

/** Of several owners, with something in its place where a database will not have it (db/together.ts). */
const ofSeveral = (text: string): boolean => text.includes('unnest(')

test('every statement that one request sends about todos names their owner, so one node has them', async (t) => {
  const here = await world(t)
  await useAll(here)
  const statements = new Set(here.statements().map(({ sql: text }) => text))
  const concerned = [...statements].filter((text) => times(text, `"(${DISTRIBUTED})"`) > 0)
  assert.ok(concerned.length > 40, `only ${concerned.length} statements were seen`)
  assert.equal(concerned.filter(ofSeveral).length, isPostgresql ? 1 : 0)
  for (const text of concerned.filter((each) => !ofSeveral(each))) {
    const tables = times(text, `\\b(from|update|join) "(${DISTRIBUTED})"`)
    const owners = times(text, '\\b"?(owner_id|user_id)"? = (\\$\\d|\\?)')
    assert.ok(owners >= tables, `${tables} tables and ${owners} owners in: ${text}`)
  }
})

test('nothing in the schema is what a distributed PostgreSQL lacks: triggers, functions', {
  skip: !isPostgresql,
}, async (t) => {
  const { db } = await world(t)
  const { rows } = await sql`
    select tgname as name from pg_trigger where not tgisinternal
    union all
    select proname from pg_proc where pronamespace = current_schema::regnamespace`.execute(db)
  assert.deepEqual(rows, [])
})
