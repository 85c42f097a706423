import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { clientOf, PASSWORD, type Person, type World, world } from '../../../test/world.ts'
import { tableNames } from '../../db/tables.ts'

const MOUNTS = ['/auth/me', '/auth/me/', '/api/v1/auth/me', '/api/v1/auth/me/'] as const
const ME = '/auth/me'
const NEW = 'clouds over the weir'
const wrongAt = (field: string) => [
  { loc: ['body', field], msg: 'is wrong', type: 'wrong_password' },
]

const signIn = ({ nobody }: World, username: string, password: string) =>
  nobody.form('/auth/token', { username, password })

const account = async (person: Person) => (await person.get(ME)).json()

test('a user reads their own account and no hash, at both mounts', async (t) => {
  const { ann, nobody } = await world(t)
  for (const url of MOUNTS) {
    const answer = await ann.get(url)
    assert.equal(answer.statusCode, 200, url)
    const { created_at, updated_at, ...user } = answer.json()
    const names = { fname: 'ann', lname: 'Tester' }
    assert.deepEqual(user, { id: ann.id, email: ann.email, ...names, is_admin: false })
    assert.equal(created_at, updated_at)
    assert.equal((await nobody.get(url)).statusCode, 401, url)
  }
})

test('names change without a password, at both mounts, and only those that are sent', async (t) => {
  const { ann, bob } = await world(t)
  const before = await account(ann)
  for (const url of MOUNTS) {
    const answer = await ann.patch(url, { fname: `  Anna ${url} ` })
    assert.equal(answer.statusCode, 200, url)
    const { updated_at, ...changed } = answer.json()
    const { updated_at: since, ...rest } = before
    assert.deepEqual(changed, { ...rest, fname: `Anna ${url}` })
    assert.ok(updated_at >= since)
    assert.deepEqual(await account(ann), answer.json())
  }
  const merged = await ann.patch(
    ME,
    { lname: 'Archer' },
    { 'content-type': 'application/merge-patch+json' },
  )
  assert.equal(merged.json().lname, 'Archer')
  assert.equal((await account(bob)).fname, 'bob')
})

test('no change is no write, and todos keep their entity tags', async (t) => {
  const { ann } = await world(t)
  const before = await account(ann)
  const { location, etag } = (await ann.post('/api/v1/todos', { text: 'a' })).headers
  await delay(5)
  for (const changes of [{}, { current_password: PASSWORD }]) {
    assert.deepEqual((await ann.patch(ME, changes)).json(), before)
  }
  assert.equal((await ann.get(String(location))).headers.etag, etag)
})

test('a new e-mail address signs in and the old one does not', async (t) => {
  const here = await world(t)
  const change = { email: ' Ann.Archer@example.com ', current_password: PASSWORD }
  const answer = await here.ann.patch(ME, change)
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.json().email, 'Ann.Archer@example.com')
  assert.equal((await signIn(here, 'ann.archer@EXAMPLE.com', PASSWORD)).statusCode, 200)
  assert.equal((await signIn(here, here.ann.email, PASSWORD)).statusCode, 401)
})

test("another user's e-mail address, in whatever case, is a 409 that changes nothing", async (t) => {
  const here = await world(t)
  const { ann, bob } = here
  const elsewhere = (await signIn(here, ann.email, PASSWORD)).json()
  const before = await account(ann)
  for (const email of ['bob@example.com', 'BOB@Example.COM', ' bob@example.com']) {
    const change = { email, fname: 'Bob', password: NEW, current_password: PASSWORD }
    const answer = await ann.patch(ME, change)
    assert.equal(answer.statusCode, 409, email)
    assert.equal(answer.json().detail, 'Email already registered.')
  }
  assert.deepEqual(await account(ann), before)
  assert.equal((await account(bob)).email, 'bob@example.com')
  assert.equal((await signIn(here, ann.email, PASSWORD)).statusCode, 200)
  const other = clientOf(here.app, elsewhere.access_token)
  assert.equal((await other.get(ME)).statusCode, 200, 'no session ended either')
  const own = await ann.patch(ME, { email: 'ANN@example.com', current_password: PASSWORD })
  assert.equal(own.json().email, 'ANN@example.com', 'one’s own in other case is free')
})

test('of many who take one e-mail address at once, one gets it and the rest a 409', async (t) => {
  const { ann, bob, person } = await world(t)
  const people = [ann, bob, await person('cat'), await person('dan'), await person('eve')]
  const change = { email: 'shared@example.com', current_password: PASSWORD }
  const answers = await Promise.all(people.map((each) => each.patch(ME, change)))
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  assert.deepEqual(statuses, [200, 409, 409, 409, 409])
})

test('an e-mail address or a password needs the current password (422)', async (t) => {
  const { ann } = await world(t)
  const msg = 'is required to change the e-mail address or the password'
  for (const change of [
    { email: 'a@example.com' },
    { password: NEW },
    { password: NEW, fname: 'A' },
  ]) {
    const missing = await ann.patch(ME, change)
    assert.equal(missing.statusCode, 422)
    assert.deepEqual(missing.json().errors, [
      { loc: ['body', 'current_password'], msg, type: 'missing' },
    ])
    const wrong = await ann.patch(ME, { ...change, current_password: `${PASSWORD}!` })
    assert.equal(wrong.statusCode, 422)
    assert.deepEqual(wrong.json().errors, wrongAt('current_password'))
  }
  const { email, fname } = await account(ann)
  assert.deepEqual([email, fname], [ann.email, 'ann'])
})

test('what others fail at the same address keeps nobody who is signed in from their account', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  for (let count = 0; count < 10; count++) {
    assert.equal((await signIn(here, `nobody${count}@example.com`, 'wrong')).statusCode, 401)
  }
  assert.equal((await signIn(here, here.ann.email, PASSWORD)).statusCode, 429)
  const change = { password: NEW, current_password: PASSWORD }
  assert.equal((await here.ann.patch(ME, change)).statusCode, 200)
})

test('wrong passwords of one who is signed in are counted (429)', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  const { ann, bob } = here
  const change = (person: Person, current_password: string) =>
    person.patch(ME, { password: NEW, current_password })
  assert.equal((await change(ann, 'wrong')).statusCode, 422)
  assert.equal((await ann.delete(ME, {}, { password: 'wrong' })).statusCode, 422)
  for (const answer of [
    await change(ann, PASSWORD),
    await ann.delete('/api/v1/auth/me', {}, { password: PASSWORD }),
    await change(ann, 'wrong'),
  ]) {
    assert.equal(answer.statusCode, 429)
    const wait = Number(answer.headers['retry-after'])
    assert.ok(wait >= 1 && wait <= 15 * 60, `Retry-After: ${wait}`)
  }
  assert.equal((await ann.patch(ME, { fname: 'Anna' })).statusCode, 200)
  assert.equal((await signIn(here, ann.email, PASSWORD)).statusCode, 200)
  assert.equal((await change(bob, PASSWORD)).statusCode, 200)
})

test('a new password must be as good as at signing up (422)', async (t) => {
  const here = await world(t)
  const { ann } = here
  for (const [password, type] of [
    ['seven c', 'too_short'],
    ['x y'.repeat(43), 'too_long'],
    ['password1', 'common_password'],
    [ann.email, 'common_password'],
    ['new.name@example.com', 'common_password'],
  ] as const) {
    const email = password === 'new.name@example.com' ? { email: password } : {}
    const answer = await ann.patch(ME, { ...email, password, current_password: PASSWORD })
    assert.equal(answer.statusCode, 422, password)
    const [{ loc, type: kind }] = answer.json().errors
    assert.deepEqual([loc, kind], [['body', 'password'], type], password)
  }
  assert.equal((await signIn(here, ann.email, PASSWORD)).statusCode, 200)
})

test('a new e-mail address must not be the password either, nor the name in it (422)', async (t) => {
  const { ann } = await world(t)
  const password = 'tin-roofs@example.com'
  assert.equal((await ann.patch(ME, { password, current_password: PASSWORD })).statusCode, 200)
  for (const email of ['tin-roofs@example.com', 'TIN-roofs@Example.com']) {
    const answer = await ann.patch(ME, { email, current_password: password })
    assert.equal(answer.statusCode, 422, email)
    const msg = 'must not begin with the password'
    assert.deepEqual(answer.json().errors, [
      { loc: ['body', 'email'], msg, type: 'common_password' },
    ])
  }
  const named = await ann.patch(ME, { password: 'tin-roofs', current_password: password })
  assert.equal(named.statusCode, 200)
  const email = 'tin-roofs@example.org'
  const answer = await ann.patch(ME, { email, current_password: 'tin-roofs' })
  assert.deepEqual(answer.json().errors?.[0].loc, ['body', 'email'])
  assert.equal((await account(ann)).email, ann.email)
  const both = { email, password: PASSWORD, current_password: 'tin-roofs' }
  assert.equal((await ann.patch(ME, both)).statusCode, 200, 'with another password it may')
})

test('a field that is unknown, empty, null or of another type is a 422 at its place', async (t) => {
  const { ann } = await world(t)
  const before = await account(ann)
  const faults = { is_admin: true, id: 7, password_hash: 'x', fname: ' ', lname: null, email: 'no' }
  const answer = await ann.patch(ME, { ...faults, current_password: PASSWORD })
  assert.equal(answer.statusCode, 422)
  const places = answer.json().errors.map(({ loc }: { loc: string[] }) => loc.join('.'))
  assert.deepEqual(
    places.sort(),
    Object.keys(faults)
      .map((field) => `body.${field}`)
      .sort(),
  )
  assert.deepEqual(await account(ann), before)
})

test('a new password ends the other sessions and their refresh tokens, but not this one', async (t) => {
  const here = await world(t)
  const { ann, bob, app, nobody } = here
  const other = (await signIn(here, ann.email, PASSWORD)).json()
  const answer = await ann.patch(ME, { password: NEW, current_password: PASSWORD })
  assert.equal(answer.statusCode, 200)
  assert.doesNotMatch(answer.body, /password|hash|argon2/)
  assert.equal((await signIn(here, ann.email, PASSWORD)).statusCode, 401)
  assert.equal((await signIn(here, ann.email, NEW)).statusCode, 200)
  const refresh = (refresh_token: string) =>
    nobody.form('/auth/token', { grant_type: 'refresh_token', refresh_token })
  assert.equal((await clientOf(app, other.access_token).get(ME)).statusCode, 401)
  assert.equal((await refresh(other.refresh_token)).statusCode, 401)
  for (const person of [ann, bob]) {
    assert.equal((await person.get(ME)).statusCode, 200)
    assert.equal((await refresh(person.refreshToken)).statusCode, 200)
  }
})

test('an account is erased only by its password (422)', async (t) => {
  const { ann } = await world(t)
  for (const url of MOUNTS) {
    const wrong = await ann.delete(url, {}, { password: 'wrong' })
    assert.equal(wrong.statusCode, 422, url)
    assert.deepEqual(wrong.json().errors, wrongAt('password'))
  }
  const missing = await ann.delete(ME, {}, {})
  assert.deepEqual(missing.json().errors, [
    { loc: ['body', 'password'], msg: 'is required', type: 'missing' },
  ])
  assert.equal((await ann.delete(ME)).statusCode, 422)
  assert.equal((await ann.get(ME)).statusCode, 200)
})

/** How many rows of each table are a person's. */
async function rowsOf({ db }: World, { id }: Person): Promise<Record<string, number>> {
  const tables = await db.introspection.getTables()
  const counts: Record<string, number> = {}
  for (const name of tableNames) {
    const columns = tables.find((table) => table.name === name)?.columns ?? []
    const owner =
      name === 'users'
        ? 'id'
        : columns.find((column) => /^(user|owner)_id$/.test(column.name))?.name
    if (owner === undefined) continue
    const { rows } = await sql<{ total: number }>`
      select count(*) as total from ${sql.table(name)} where ${sql.ref(owner)} = ${id}`.execute(db)
    counts[name] = Number(rows[0]?.total)
  }
  return counts
}

test('an erased account leaves no row in any table, and no way back in', async (t) => {
  for (const url of ['/auth/me', '/api/v1/auth/me/']) {
    const here = await world(t)
    const { ann, bob, nobody } = here
    for (const person of [ann, bob])
      await person.post('/api/v1/todos', { text: 'Mine' }, { 'idempotency-key': 'one' })
    const full = await rowsOf(here, ann)
    assert.ok(Object.keys(full).length >= 5, 'the tables with an owner were found')
    for (const [name, count] of Object.entries(full)) assert.ok(count > 0, `${name} had rows`)
    const bobs = await rowsOf(here, bob)

    const erased = await ann.delete(url, {}, { password: PASSWORD })
    assert.equal(erased.statusCode, 204)
    assert.equal(erased.body, '')
    for (const [name, count] of Object.entries(await rowsOf(here, ann)))
      assert.equal(count, 0, name)
    assert.deepEqual(await rowsOf(here, bob), bobs)

    assert.equal((await ann.get(ME)).statusCode, 401)
    assert.equal((await signIn(here, ann.email, PASSWORD)).statusCode, 401)
    const refresh = { grant_type: 'refresh_token', refresh_token: ann.refreshToken }
    assert.equal((await nobody.form('/auth/token', refresh)).statusCode, 401)
    const person = { email: ann.email, password: NEW, fname: 'Ann', lname: 'Again' }
    const again = await nobody.post('/api/v1/users/signup', person)
    assert.equal(again.statusCode, 201)
    assert.notEqual(again.json().id, ann.id, 'an id is never given again')
  }
})
