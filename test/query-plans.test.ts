import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompiledQuery, sql } from 'kysely'
import type { Db } from '../src/db/tables.ts'
import { isPostgresql, PASSWORD, type Person, type World, world } from './world.ts'

const TODOS = '/api/v1/todos'
const LARGE = ['todos', 'users']

/** Asks for everything that reads or writes todos or users. */
async function useAll({ ann, bob, nobody, person }: World): Promise<void> {
  const admin = await person('root', { is_admin: true })
  await useTodos(ann)
  for (const url of ['/auth/me', `/api/v1/users/${ann.id}`, '/auth/me/export', '/auth/me/sessions'])
    await ann.get(url)
  await admin.get('/api/v1/users')
  await admin.get(`${TODOS}?user_id=${ann.id}`)
  await ann.patch('/auth/me', { fname: 'Anna' })
  const email = 'new@example.com'
  const account = { email, password: PASSWORD, fname: 'New', lname: 'Person' }
  assert.equal((await nobody.post('/api/v1/users/signup', account)).statusCode, 201)
  const refresh_token = bob.refreshToken
  await nobody.form('/auth/token', { grant_type: 'refresh_token', refresh_token })
  await bob.patch('/auth/me', { email: 'bob2@example.com', current_password: PASSWORD })
  await useBrowser(nobody, ann.email)
  assert.equal((await ann.delete('/auth/me', {}, { password: PASSWORD })).statusCode, 204)
}

async function useTodos(ann: Person): Promise<void> {
  const todo = (await ann.post(TODOS, { text: 'Buy milk' }, { 'idempotency-key': 'k' })).json()
  for (let index = 0; index < 5; index++) await ann.post(TODOS, { text: `Todo ${index}` })
  for (const sort of ['id', 'created_at', 'updated_at', 'text'].flatMap((each) => [
    each,
    `-${each}`,
  ])) {
    for (const filter of [
      '',
      '&completed=true',
      '&completed=false',
      '&q=todo',
      '&q=o&completed=false',
    ]) {
      const url = `${TODOS}?limit=2&sort=${sort}${filter}`
      const next = /<([^>]+)>; rel="next"/.exec(String((await ann.get(url)).headers.link))?.[1]
      const back = next && /<([^>]+)>; rel="prev"/.exec(String((await ann.get(next)).headers.link))
      if (back?.[1]) await ann.get(back[1])
      await ann.get(`${url}&offset=1`)
    }
  }
  const one = `${TODOS}/${todo.id}`
  const etag = String((await ann.get(one)).headers.etag)
  await ann.patch(one, { completed: true }, { 'if-match': etag })
  await ann.patch(one, { completed: true }, { 'if-match': etag })
  await ann.put(one, { text: 'Buy oats' })
  assert.equal((await ann.delete(one)).statusCode, 204)
}

async function useBrowser(nobody: World['nobody'], username: string): Promise<void> {
  const same = { 'sec-fetch-site': 'same-origin' }
  const signedIn = await nobody.send('/login', {
    method: 'POST',
    headers: { ...same, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ username, password: PASSWORD }).toString(),
  })
  const cookie = String(signedIn.headers['set-cookie'] ?? '').match(/session=[\w-]+/)?.[0] ?? ''
  for (const url of ['/home', '/home?q=todo', '/home?show=open', '/account'])
    assert.equal((await nobody.get(url, { cookie })).statusCode, 200, url)
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
  await useAll(here)
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

test('every statement that a request sends about todos names their owner, so one node has them', async (t) => {
  const here = await world(t)
  await useAll(here)
  const statements = new Set(here.statements().map(({ sql: text }) => text))
  const concerned = [...statements].filter((text) => times(text, `"(${DISTRIBUTED})"`) > 0)
  assert.ok(concerned.length > 40, `only ${concerned.length} statements were seen`)
  for (const text of concerned) {
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
