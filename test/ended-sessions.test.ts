// What ends a session meets the refreshing of its token, at the moments at which PostgreSQL's locks are taken.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { purge } from '../src/features/sessions/store.ts'
import { fromNow } from '../src/lib/time.ts'
import { isPostgresql, PASSWORD, type Person, type World, world } from './world.ts'

const skip = !isPostgresql && 'an embedded file has one writer at a time'

const signIn = async ({ nobody }: World, { email }: Person) =>
  (await nobody.form('/auth/token', { username: email, password: PASSWORD })).json()

const refresh = ({ nobody }: World, refresh_token: string) =>
  nobody.form('/auth/token', { grant_type: 'refresh_token', refresh_token })

const statusOf = async ({ nobody }: World, token: string) =>
  (await nobody.get('/auth/me', { authorization: `Bearer ${token}` })).statusCode

/** Another client of the database, within a transaction. */
async function client(t: TestContext, { config }: World) {
  const client = new pg.Client({ connectionString: config.databaseUrl })
  // Where a test fails, its database is taken away first.
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  await client.query('begin')
  const waiting = async () => {
    const { rows } = await client.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return rows.length
  }
  return {
    query: (sql: string) => client.query(sql),
    /** Until so many wait for a lock. */
    queued: async (many: number) => {
      // The view stands still within a transaction.
      while ((await waiting()) < many) {
        await client.query('select pg_stat_clear_snapshot()')
        await delay(10)
      }
    },
  }
}

interface Ending {
  readonly what: string
  readonly end: (here: World, person: Person, session: Tokens) => ReturnType<Person['get']>
  readonly status: number
}
type Tokens = { readonly access_token: string; readonly spent: string; readonly good: string }

const endings: Ending[] = [
  {
    what: 'revoking its access token',
    end: ({ nobody }, _, { access_token }) => nobody.form('/auth/revoke', { token: access_token }),
    status: 200,
  },
  {
    what: 'revoking its refresh token',
    end: ({ nobody }, _, { good }) => nobody.form('/auth/revoke', { token: good }),
    status: 200,
  },
  {
    what: 'a spent token that comes again',
    end: (here, _, { spent }) => refresh(here, spent),
    status: 401,
  },
  {
    what: 'a new password',
    end: (_, person) =>
      person.patch('/auth/me', { password: 'rain on other roofs', current_password: PASSWORD }),
    status: 200,
  },
  {
    what: 'erasing the account',
    end: (_, person) => person.delete('/auth/me', {}, { password: PASSWORD }),
    status: 204,
  },
]

for (const { what, end, status } of endings) {
  test(`${what} ends a session that is refreshed at that moment`, { skip }, async (t) => {
    const here = await world(t)
    for (const [name, isFirst] of [
      ['cat', true],
      ['dan', false],
    ] as const) {
      const person = await here.person(name)
      const first = await signIn(here, person)
      const second = (await refresh(here, first.refresh_token)).json()
      const session = { ...second, spent: first.refresh_token, good: second.refresh_token }
      const other = await client(t, here)
      await other.query('select 1 from sessions order by id desc limit 1 for update')
      const ending = () => end(here, person, session)
      const refreshing = () => refresh(here, session.good)
      const early = isFirst ? ending() : refreshing()
      await other.queued(1)
      const late = isFirst ? refreshing() : ending()
      await other.queued(2)
      await other.query('rollback')

      const [ended, refreshed] = await Promise.all(isFirst ? [early, late] : [late, early])
      assert.equal(ended.statusCode, status, ended.body)
      assert.equal(refreshed.statusCode, isFirst ? 401 : 200, refreshed.body)
      const { access_token = session.access_token } = isFirst ? {} : refreshed.json()
      assert.equal(await statusOf(here, access_token), 401)
    }
  })
}

test('who is in the way of others hears so, and when to come again (503)', { skip }, async (t) => {
  const here = await world(t)
  const other = await client(t, here)
  await other.query('select 1 from refresh_tokens for update')
  const refreshing = refresh(here, here.ann.refreshToken)
  await other.queued(1)
  // The other takes what the first has. PostgreSQL ends the one who began to wait first.
  await other.query('select 1 from sessions for update')
  const answer = await refreshing
  assert.equal(answer.statusCode, 503)
  assert.match(String(answer.headers['retry-after']), /^\d+$/)
  assert.equal(
    answer.json().detail,
    'Someone else changed the same thing at the same moment. Try again in a moment.',
  )
  await other.query('rollback')
  assert.equal((await refresh(here, here.ann.refreshToken)).statusCode, 200)
})

test('deleting what ran out waits for nobody, and leaves what is in use for the next time', {
  skip,
}, async (t) => {
  const here = await world(t)
  const rows = async () => {
    const sessions = await here.db.selectFrom('sessions').select('id').execute()
    const tokens = await here.db.selectFrom('refresh_tokens').select('token_digest').execute()
    return [sessions.length, tokens.length]
  }
  const past = { expires_at: fromNow(-1) }
  await here.db.updateTable('refresh_tokens').set(past).execute()
  await here.db.updateTable('sessions').set(past).where('user_id', '=', here.ann.id).execute()
  const other = await client(t, here)
  await other.query('select 1 from sessions, refresh_tokens for update')
  await purge(here.db)
  assert.deepEqual(await rows(), [2, 2])
  await other.query('rollback')
  await purge(here.db)
  assert.deepEqual(await rows(), [1, 0])
})
