import assert from 'node:assert/strict'
import { test } from 'node:test'
import { link } from '../../../test/list-pages.ts'
import { world } from '../../../test/world.ts'

const USERS = '/api/v1/users'
const SIGNUP = `${USERS}/signup`
const names = { fname: 'Eve', lname: 'Evans' }
const eve = { email: 'eve@example.com', password: 'a lake before dawn', ...names }
const KEYS = ['created_at', 'email', 'fname', 'id', 'is_admin', 'lname', 'updated_at']

test('signing up makes an account that can sign in (201)', async (t) => {
  const { nobody } = await world(t)
  for (const [url, email] of [
    [SIGNUP, 'eve@example.com'],
    [`${SIGNUP}/`, 'fay@example.com'],
  ] as const) {
    const answer = await nobody.post(url, { ...eve, email })
    assert.equal(answer.statusCode, 201, url)
    const user = answer.json()
    assert.deepEqual(Object.keys(user).sort(), KEYS)
    assert.doesNotMatch(answer.body, /password|hash|argon2|lake/)
    assert.deepEqual(
      [user.email, user.fname, user.lname, user.is_admin],
      [email, 'Eve', 'Evans', false],
    )
    assert.match(user.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(user.updated_at, user.created_at)

    const form = { username: email, password: eve.password }
    const { access_token } = (await nobody.form('/auth/token', form)).json()
    const authorization = `Bearer ${access_token}`
    assert.deepEqual((await nobody.get('/auth/me', { authorization })).json(), user)
  }
})

test('an e-mail address is kept as it was typed, without the space around it', async (t) => {
  const { nobody } = await world(t)
  const answer = await nobody.post(SIGNUP, { ...eve, email: ' \tEve.Evans@Example.com\n' })
  assert.equal(answer.json().email, 'Eve.Evans@Example.com')
  const spaced = { fname: '  Zoë ', lname: ' O’Brien-李 ', email: 'zoe@example.com' }
  const other = await nobody.post(SIGNUP, { ...eve, ...spaced })
  assert.deepEqual([other.json().fname, other.json().lname], ['Zoë', 'O’Brien-李'])
})

test('an e-mail address that has an account, in whatever case, is a 409', async (t) => {
  const { nobody, db } = await world(t)
  for (const email of ['ann@example.com', 'ANN@EXAMPLE.COM', ' Ann@example.com ']) {
    const answer = await nobody.post(SIGNUP, { ...eve, email })
    assert.equal(answer.statusCode, 409, email)
    assert.equal(answer.json().detail, 'Email already registered.')
    assert.equal(answer.headers['content-type'], 'application/problem+json')
  }
  assert.equal((await db.selectFrom('users').select('id').execute()).length, 2)
})

test('many at once with one e-mail address make one account', async (t) => {
  const { nobody, db } = await world(t)
  const spellings = ['eve@example.com', 'EVE@example.com', 'Eve@Example.com', 'eve@example.com']
  const answers = await Promise.all(
    [...spellings, ...spellings].map((email) => nobody.post(SIGNUP, { ...eve, email })),
  )
  const statuses = answers.map(({ statusCode }) => statusCode)
  assert.deepEqual(statuses.sort(), [201, 409, 409, 409, 409, 409, 409, 409])
  const rows = db.selectFrom('users').select('id').where('email_key', '=', 'eve@example.com')
  assert.equal((await rows.execute()).length, 1)
})

test('every fault is named at once, with its place, its kind and a sentence (422)', async (t) => {
  const { nobody } = await world(t)
  const body = { email: 'no address', password: 'a lake.', fname: '   ', id: 7 }
  const answer = await nobody.post(SIGNUP, body)
  assert.equal(answer.statusCode, 422)
  const faults: Array<{ loc: string[]; msg: string; type: string }> = answer.json().errors
  const sorted = faults.toSorted((a, b) => String(a.loc).localeCompare(String(b.loc)))
  assert.deepEqual(sorted, [
    { loc: ['body', 'email'], msg: 'must be a valid email', type: 'wrong_format' },
    { loc: ['body', 'fname'], msg: 'must have at least 1 character', type: 'too_short' },
    { loc: ['body', 'id'], msg: 'is not a field of this request', type: 'unknown_field' },
    { loc: ['body', 'lname'], msg: 'is required', type: 'missing' },
    { loc: ['body', 'password'], msg: 'must have at least 8 characters', type: 'too_short' },
  ])
  assert.equal(answer.json().detail, 'The request has 5 faults; see errors.')
  const empty = await nobody.post(SIGNUP, {})
  assert.deepEqual(
    empty.json().errors.map(({ loc, type }: { loc: string[]; type: string }) => [loc[1], type]),
    ['email', 'password', 'fname', 'lname'].map((field) => [field, 'missing']),
  )
})

test('a fault of any field is a 422 at its place', async (t) => {
  const { nobody, db } = await world(t)
  const NUL = '\u0000'
  const cases: Array<[field: keyof typeof eve, type: string, values: unknown[]]> = [
    [
      'email',
      'wrong_format',
      ['', ' ', 'eve', 'eve@', '@example.com', 'e v@example.com', 'a@b@c.de', `e${NUL}@b.de`],
    ],
    ['email', 'too_long', [`${'a'.repeat(243)}@example.com`]],
    ['password', 'too_short', ['', 'seven77', '😀'.repeat(7)]],
    ['password', 'too_long', [`${'long '.repeat(25)}four`]],
    ['password', 'wrong_format', [`a lake${NUL}before dawn`, 'half a pair \ud83d']],
    ['fname', 'too_short', ['', ' \t ']],
    ['fname', 'too_long', ['x'.repeat(101)]],
    ['lname', 'wrong_format', [`Ev${NUL}ans`, 'Evans\udc00']],
    ['email', 'wrong_type', [7, null, true, ['eve@example.com'], {}]],
    ['password', 'wrong_type', [12345678, null, ['a lake before dawn']]],
    ['fname', 'wrong_type', [7, false, null, {}, []]],
  ]
  for (const [field, type, values] of cases) {
    for (const value of values) {
      const what = `${field} ${JSON.stringify(value)}`
      const answer = await nobody.post(SIGNUP, { ...eve, [field]: value })
      assert.equal(answer.statusCode, 422, what)
      const kinds = answer
        .json()
        .errors.map((fault: { loc: string[]; type: string }) => `${fault.loc} ${fault.type}`)
      assert.ok(kinds.includes(`body,${field} ${type}`), `${what}: ${answer.body}`)
    }
  }
  assert.equal((await db.selectFrom('users').select('id').execute()).length, 2)
})

test('a password has 8 to 128 characters, of any script, and is used whole', async (t) => {
  const { nobody } = await world(t)
  const passwords = ['9 toads.', '😀'.repeat(8), `${'long '.repeat(25)}end`, '湖'.repeat(128)]
  for (const [index, password] of passwords.entries()) {
    const email = `eve${index}@example.com`
    assert.equal((await nobody.post(SIGNUP, { ...eve, email, password })).statusCode, 201, password)
    const signIn = (typed: string) =>
      nobody.form('/auth/token', { username: email, password: typed })
    assert.equal((await signIn(password)).statusCode, 200)
    assert.equal((await signIn([...password].slice(0, -1).join(''))).statusCode, 401)
  }
})

test('a password that is tried first, or is the e-mail address, is refused (422)', async (t) => {
  const { nobody } = await world(t)
  const common = 'is among the passwords that are tried first; choose another'
  const own = 'must not be the e-mail address'
  const cases: Array<[password: string, email: string, msg: string]> = [
    ['password1', eve.email, common],
    ['PassWord1', eve.email, common],
    ['12345678', eve.email, common],
    ['ｐａｓｓｗｏｒｄ１', eve.email, common],
    ['eve@example.com', eve.email, own],
    ['EVE@example.COM', eve.email, own],
    ['eve@example.com', ' Eve@Example.com ', own],
    ['eve.of.all.hallows', 'eve.of.all.hallows@example.com', own],
  ]
  for (const [password, email, msg] of cases) {
    const answer = await nobody.post(SIGNUP, { ...eve, email, password })
    assert.equal(answer.statusCode, 422, password)
    assert.deepEqual(answer.json().errors, [
      { loc: ['body', 'password'], msg, type: 'common_password' },
    ])
  }
  const both = await nobody.post(SIGNUP, { ...eve, email: 'eve', password: 'password1' })
  assert.equal(both.json().errors.length, 2, 'together with the other faults')
})

test('nobody makes an administrator of themselves, or picks an id (422)', async (t) => {
  const { nobody, db } = await world(t)
  const extras = {
    is_admin: true,
    admin_since: '2026-01-01T00:00:00.000Z',
    id: 1,
    password_hash: 'x',
    version: 9,
    created_at: '2020-01-01T00:00:00.000Z',
  }
  for (const [field, value] of Object.entries(extras)) {
    const answer = await nobody.post(SIGNUP, { ...eve, [field]: value })
    assert.equal(answer.statusCode, 422, field)
    assert.deepEqual(answer.json().errors, [
      { loc: ['body', field], msg: 'is not a field of this request', type: 'unknown_field' },
    ])
  }
  assert.equal((await db.selectFrom('users').select('id').execute()).length, 2)
})

test('SIGNUP=closed lets nobody sign up (403)', async (t) => {
  const { nobody, ann, db } = await world(t, { SIGNUP: 'closed' })
  for (const client of [nobody, ann]) assert.equal((await client.post(SIGNUP, eve)).statusCode, 403)
  assert.equal((await nobody.post(SIGNUP, { ...eve, email: ann.email })).statusCode, 403)
  assert.equal((await db.selectFrom('users').select('id').execute()).length, 2)
  assert.equal((await ann.get('/auth/me')).statusCode, 200)
})

test('an administrator lists the users page by page', async (t) => {
  const { ann, bob, person } = await world(t)
  const admin = await person('root', { is_admin: true })
  const fay = await person('fay')
  const everyone = [ann, bob, admin, fay].map(({ id }) => id)
  const pages: Array<[query: string, ids: number[], link: Record<string, string>]> = [
    ['', everyone, { first: '?offset=0' }],
    ['?limit=3', everyone.slice(0, 3), { first: '?limit=3&offset=0', next: '?limit=3&offset=3' }],
    [
      '?offset=1&limit=2',
      everyone.slice(1, 3),
      { first: '?offset=0&limit=2', prev: '?offset=0&limit=2', next: '?offset=3&limit=2' },
    ],
    ['?offset=3', everyone.slice(3), { first: '?offset=0', prev: '?offset=0' }],
  ]
  for (const [query, ids, relations] of pages) {
    const answer = await admin.get(`${USERS}${query}`)
    assert.equal(answer.statusCode, 200, query)
    const users: Array<{ id: number }> = answer.json()
    const found = users.map(({ id }) => id)
    assert.deepEqual(found, ids)
    assert.equal(answer.headers['x-total-count'], '4')
    const links = Object.entries(relations).map(([rel, to]) => `<${USERS}${to}>; rel="${rel}"`)
    assert.equal(answer.headers.link, links.join(', '))
    for (const user of users) assert.deepEqual(Object.keys(user).sort(), KEYS)
    assert.doesNotMatch(answer.body, /password|hash|argon2/)
  }
})

test('the links of the list lead through all of it', async (t) => {
  const { person } = await world(t)
  const admin = await person('root', { is_admin: true })
  const seen: string[] = []
  let url: string | undefined = `${USERS}/?limit=1`
  while (url !== undefined) {
    const answer = await admin.get(url)
    seen.push(...answer.json().map(({ email }: { email: string }) => email))
    url = link(answer, 'next')
  }
  assert.deepEqual(seen, ['ann@example.com', 'bob@example.com', 'root@example.com'])
})

test('a query that the list does not take is a 422 at its place', async (t) => {
  const { person } = await world(t)
  const admin = await person('root', { is_admin: true })
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'offset=-1', 'offset=1.5', 'skip=1']) {
    const answer = await admin.get(`${USERS}?${query}`)
    assert.equal(answer.statusCode, 422, query)
    assert.deepEqual(answer.json().errors[0].loc, ['query', query.split('=')[0]])
  }
})

test('the list of users is for administrators (403), and nobody is not even told so (401)', async (t) => {
  const { ann, nobody } = await world(t)
  for (const url of [USERS, `${USERS}/`, `${USERS}?limit=0`]) {
    assert.equal((await ann.get(url)).statusCode, 403, url)
    assert.equal((await nobody.get(url)).statusCode, 401, url)
  }
})
