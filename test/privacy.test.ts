import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { derivedTableNames, tableNames } from '../src/db/tables.ts'
import * as passwordAttempts from '../src/features/password-attempts/store.ts'
import { isPostgresql, PASSWORD, type World, world } from './world.ts'

const EVE = { email: 'eve.private@example.com', fname: 'Evelyn', lname: 'Nightingale' }
const TRACES = ['eve.private', 'evelyn', 'nightingale', 'zebra', 'pocket browser', '203.0.113.77']

const allTables = [...tableNames, ...derivedTableNames]

type Rows = Readonly<Record<string, readonly Record<string, unknown>[]>>

async function contents({ db }: World): Promise<Rows> {
  const entries = allTables.map(async (name) => {
    const rows: Record<string, unknown>[] = await db.selectFrom(name).selectAll().execute()
    return [name, rows] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** Leaves something of one person in every table, and gives the secrets that she was given. */
async function live(here: World) {
  const { nobody, app } = here
  const remoteAddress = '203.0.113.77'
  const headers = { 'user-agent': 'Pocket Browser', 'sec-fetch-site': 'same-origin' }
  const form = (url: string, fields: Record<string, string>) =>
    app.inject({
      method: 'POST',
      url,
      remoteAddress,
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    })
  await nobody.post('/api/v1/users/signup', { ...EVE, password: PASSWORD })
  const credentials = { username: EVE.email, password: PASSWORD }
  const tokens = (await form('/auth/token', credentials)).json()
  const { cookies } = await form('/login', credentials)
  const { refresh_token } = tokens
  const renewed = (await form('/auth/token', { grant_type: 'refresh_token', refresh_token })).json()
  await form('/auth/token', { ...credentials, password: `${PASSWORD}!` })
  const authorization = `Bearer ${tokens.access_token}`
  await nobody.post(
    '/api/v1/todos',
    { text: 'Zebra' },
    { authorization, 'idempotency-key': 'zebra-1' },
  )
  const cookieOf = (name: string) => cookies.find((cookie) => cookie.name === name)?.value
  const given = [tokens, renewed].flatMap((pair) => [pair.access_token, pair.refresh_token])
  return { authorization, secrets: [...given, cookieOf('session'), cookieOf('device')] }
}

test('every table of the real schema is among the tables that the tests below walk', async (t) => {
  const { db } = await world(t)
  const { rows } = await (isPostgresql
    ? sql<{
        name: string
      }>`select table_name as name from information_schema.tables where table_schema = current_schema()`
    : sql<{
        name: string
      }>`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`
  ).execute(db)
  const real = rows.map(({ name }) => name).filter((name) => !name.startsWith('kysely_'))
  assert.deepEqual(real.sort(), allTables.toSorted())
})

test('erasing an account leaves no row of it in any table', async (t) => {
  const here = await world(t)
  await here.ann.post('/api/v1/todos', { text: 'Hers' }, { 'idempotency-key': 'hers' })
  const before = await contents(here)
  const { authorization } = await live(here)
  const during = await contents(here)
  for (const name of allTables) {
    const count = (rows: Rows) => rows[name]?.length ?? 0
    assert.ok(count(during) > count(before), `live() leaves nothing in ${name}`)
  }

  const gone = await here.nobody.delete('/auth/me', { authorization }, { password: PASSWORD })
  assert.equal(gone.statusCode, 204)
  const { sign_in_failures: counts = [], ...after } = await contents(here)
  const { sign_in_failures: _, ...others } = before
  assert.deepEqual(after, others, 'all is as it was before the account')

  // Failed sign-ins are counted by digests, whether or not there is such an account, for 15 minutes.
  const readable = JSON.stringify(counts).toLowerCase()
  for (const trace of TRACES) assert.ok(!readable.includes(trace), trace)
  for (const { window_ends_at } of counts) {
    assert.ok(Date.parse(String(window_ends_at)) <= Date.now() + 15 * 60 * 1000)
  }
  await here.db.updateTable('sign_in_failures').set({ window_ends_at: '2026-01-01' }).execute()
  await passwordAttempts.purge(here.db)
  assert.deepEqual((await contents(here)).sign_in_failures, [])
})

test('neither a password, a token nor a cookie can be read from any table', async (t) => {
  const here = await world(t)
  const { secrets } = await live(here)
  const all = JSON.stringify(await contents(here))
  for (const secret of [PASSWORD, ...secrets]) {
    assert.ok(secret)
    assert.ok(!all.includes(secret), secret)
  }
})
