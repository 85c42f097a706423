import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientOf, PASSWORD, world } from '../../../test/world.ts'

const MOUNTS = ['/auth/token', '/auth/token/', '/api/v1/auth/token', '/api/v1/auth/token/']
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

test('an e-mail address and its password sign in at both mounts, with and without grant_type', async (t) => {
  const { ann, nobody, app } = await world(t)
  for (const url of MOUNTS) {
    const pair = { username: ann.email, password: PASSWORD }
    for (const form of [pair, { grant_type: 'password', ...pair }]) {
      const answer = await nobody.form(url, form)
      assert.equal(answer.statusCode, 200, url)
      assert.equal(answer.headers['cache-control'], 'no-store', url)
      const { access_token, refresh_token, ...rest } = answer.json()
      assert.deepEqual(rest, { token_type: 'bearer', expires_in: 900, scope: '' }, url)
      assert.match(refresh_token, /^[\w-]{43}$/)
      const me = await clientOf(app, access_token).get('/auth/me')
      assert.equal(me.json().id, ann.id, url)
    }
  }
})

test('each sign-in gets tokens of its own', async (t) => {
  const { ann, nobody } = await world(t)
  const one = (await nobody.form('/auth/token', { username: ann.email, password: PASSWORD })).json()
  assert.notEqual(one.access_token, ann.token)
  assert.notEqual(one.refresh_token, ann.refreshToken)
  assert.equal((await ann.get('/auth/me')).statusCode, 200)
})

test('the lifetime of an access token is what expires_in says', async (t) => {
  const { ann, nobody } = await world(t, { ACCESS_TOKEN_LIFETIME: '10' })
  const answer = await nobody.form('/auth/token', { username: ann.email, password: PASSWORD })
  const { access_token, expires_in } = answer.json()
  const [, payload = ''] = access_token.split('.')
  const { iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  assert.equal(expires_in, 10)
  assert.equal(exp - iat, 10)
})

test('no access token claims to be good for longer than its session', async (t) => {
  const { ann, nobody } = await world(t, { SESSION_LIFETIME: '60' })
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const end = Math.floor(Date.now() / 1000) + 60
  const { refresh_token, ...first } = (
    await nobody.form('/auth/token', { username: ann.email, password: PASSWORD })
  ).json()
  t.mock.timers.tick(40_000)
  const grant = { grant_type: 'refresh_token', refresh_token }
  const second = (await nobody.form('/auth/token', grant)).json()
  for (const [{ access_token, expires_in }, left] of [
    [first, 60],
    [second, 20],
  ] as const) {
    assert.equal(expires_in, left)
    const [, payload = ''] = access_token.split('.')
    const { iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    assert.deepEqual([exp - iat, exp], [left, end])
  }
})

test('an access token is refused (401) once its time is over, however often it was good', async (t) => {
  const { ann } = await world(t, { ACCESS_TOKEN_LIFETIME: '600' })
  const status = async () => (await ann.get('/auth/me')).statusCode
  assert.deepEqual([await status(), await status()], [200, 200])
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 540_000 })
  assert.equal(await status(), 200)
  t.mock.timers.tick(60_000)
  assert.deepEqual([await status(), await status()], [401, 401])
})

test('the e-mail address signs in without regard to its case or to space around it', async (t) => {
  const { nobody } = await world(t)
  for (const username of ['ANN@Example.COM', '  ann@example.com ']) {
    const answer = await nobody.form('/auth/token', { username, password: PASSWORD })
    assert.equal(answer.statusCode, 200, username)
  }
})

test('a password counts to the letter', async (t) => {
  const { ann, nobody } = await world(t)
  for (const password of [PASSWORD.toUpperCase(), `${PASSWORD} `, ` ${PASSWORD}`, 'rain']) {
    const answer = await nobody.form('/auth/token', { username: ann.email, password })
    assert.equal(answer.statusCode, 401, JSON.stringify(password))
  }
})

test('a wrong password and an unknown account get the same answer (401)', async (t) => {
  const { nobody } = await world(t)
  const refused = async (url: string, username: string) => {
    const answer = await nobody.form(url, { username, password: 'not the password' })
    const { request_id, ...body } = answer.json()
    const { 'x-request-id': header, date, ...headers } = answer.headers
    assert.equal(request_id, header)
    return { status: answer.statusCode, headers, body }
  }
  for (const url of MOUNTS) {
    const wrong = await refused(url, 'ann@example.com')
    assert.equal(wrong.status, 401)
    assert.equal(wrong.headers['www-authenticate'], 'Bearer')
    assert.equal(wrong.headers['cache-control'], 'no-store')
    assert.equal(wrong.headers['content-type'], 'application/problem+json')
    assert.equal(wrong.body.detail, 'Incorrect email or password')
    for (const username of ['eve@example.com', 'no address', "' or 1=1 --", 'ann@example.co%'])
      assert.deepEqual(await refused(url, username), wrong, username)
  }
})

test('each field that a grant lacks is named (422)', async (t) => {
  const { nobody } = await world(t)
  const cases: Array<[Record<string, string>, string[]]> = [
    [{ scope: '' }, ['username', 'password']],
    [{ grant_type: 'password' }, ['username', 'password']],
    [{ username: 'ann@example.com' }, ['password']],
    [{ password: PASSWORD }, ['username']],
    [{ grant_type: 'refresh_token' }, ['refresh_token']],
    [{ grant_type: 'refresh_token', username: 'ann@example.com' }, ['refresh_token']],
  ]
  for (const [fields, missing] of cases) {
    const answer = await nobody.form('/auth/token', fields)
    assert.equal(answer.statusCode, 422, JSON.stringify(fields))
    assert.deepEqual(
      answer.json().errors,
      missing.map((field) => ({ loc: ['body', field], msg: 'is required', type: 'missing' })),
    )
  }
})

test('an empty, repeated, unstorable, unknown or unsupported field is a 422 at its place', async (t) => {
  const { nobody } = await world(t)
  const pair = 'username=ann%40example.com&password=rain+on+tin+roofs'
  const cases: Array<[string, string, string]> = [
    ['username=&password=x', 'username', 'missing'],
    ['username=ann%40example.com&password=', 'password', 'missing'],
    [`username=a&${pair}`, 'username', 'repeated'],
    [`${pair}&password=x`, 'password', 'repeated'],
    ['username=ann%00%40example.com&password=x', 'username', 'wrong_format'],
    ['username=ann%40example.com&password=x%00', 'password', 'wrong_format'],
    [`username=ann%40example.com&password=${'x'.repeat(1025)}`, 'password', 'too_long'],
    [`${pair}&otp=123456`, 'otp', 'unknown_field'],
    [`${pair}&grant_type=client_credentials`, 'grant_type', 'not_allowed'],
  ]
  for (const [body, field, type] of cases) {
    const answer = await nobody.send('/auth/token', { method: 'POST', headers: FORM, body })
    assert.equal(answer.statusCode, 422, body)
    const [fault, ...others] = answer.json().errors
    assert.deepEqual([fault.loc, fault.type, others], [['body', field], type, []], body)
  }
})

test('a failure has the code that clients of OAuth 2.0 look for, and an empty field is as one that is absent', async (t) => {
  const { ann, nobody } = await world(t)
  const pair = { username: ann.email, password: PASSWORD }
  for (const [fields, error] of [
    [{ ...pair, password: 'wrong' }, 'invalid_grant'],
    [{ grant_type: 'refresh_token', refresh_token: 'none' }, 'invalid_grant'],
    [{ ...pair, grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [{ ...pair, otp: '"1"' }, 'invalid_request'],
    [{ grant_type: 'refresh_token' }, 'invalid_request'],
  ] as const) {
    const {
      error: code,
      error_description,
      detail,
    } = (await nobody.form('/auth/token', fields)).json()
    assert.deepEqual([code, error_description], [error, detail])
  }
  const answer = await nobody.form('/auth/token', { ...pair, grant_type: '', refresh_token: '' })
  assert.equal(answer.statusCode, 200)
  assert.equal((await ann.get('/auth/me/nothing')).json().error, undefined)
})

test('JSON where a form belongs is refused (415)', async (t) => {
  const { nobody } = await world(t)
  for (const url of MOUNTS) {
    const answer = await nobody.post(url, { username: 'ann@example.com', password: PASSWORD })
    assert.equal(answer.statusCode, 415, url)
    assert.equal(answer.headers.accept, FORM['content-type'])
  }
})

test('what the Authorize dialog of Swagger UI sends signs in', async (t) => {
  const { ann, nobody } = await world(t)
  const fields = { grant_type: 'password', username: ann.email, password: PASSWORD, scope: '' }
  const withSecret = { ...fields, client_id: 'docs', client_secret: 'any' }
  for (const [form, authorization] of [
    [fields, 'Basic Og=='],
    [withSecret, `Basic ${btoa('docs:any')}`],
    [{ ...fields, client_id: '', client_secret: '' }, undefined],
  ] as const) {
    const answer = await nobody.send('/auth/token', {
      method: 'POST',
      headers: {
        ...FORM,
        'x-requested-with': 'XMLHttpRequest',
        ...(authorization && { authorization }),
      },
      body: new URLSearchParams(form).toString(),
    })
    assert.equal(answer.statusCode, 200)
  }
})

test('a header that is no bearer token is refused with a challenge (401)', async (t) => {
  const { ann, app } = await world(t)
  const [head = '', payload = '', signature = ''] = ann.token.split('.')
  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    'Bearer garbage',
    'Bearer a.b.c',
    `Bearer ${head}.${payload}`,
    `Bearer ${head}.${payload}.`,
    `Bearer ${head}.${payload}.${signature.slice(0, -4)}`,
    `Bearer ${ann.token} ${ann.token}`,
    `Bearer "${ann.token}"`,
    `Bearer ${ann.refreshToken}`,
    `Token ${ann.token}`,
    `Basic ${btoa(`${ann.email}:${PASSWORD}`)}`,
    ann.token,
  ]) {
    for (const url of ['/auth/me', '/api/v1/auth/me', '/api/v1/todos']) {
      const answer = await clientOf(app).get(url, { authorization })
      assert.equal(answer.statusCode, 401, authorization)
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
      assert.equal(answer.json().detail, 'Invalid authentication credentials')
    }
  }
})

test('the scheme of a bearer token has no case (RFC 9110 §11.1)', async (t) => {
  const { ann, nobody } = await world(t)
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const answer = await nobody.get('/auth/me', { authorization: `${scheme} ${ann.token}` })
    assert.equal(answer.json().id, ann.id, scheme)
  }
})

test('the token of an erased account or of an ended session is refused (401)', async (t) => {
  const { ann, bob, nobody } = await world(t)
  assert.equal((await ann.delete('/auth/me', {}, { password: PASSWORD })).statusCode, 204)
  assert.equal((await ann.get('/auth/me')).statusCode, 401)
  assert.equal((await bob.get('/auth/me')).statusCode, 200)
  assert.equal((await nobody.form('/auth/revoke', { token: bob.refreshToken })).statusCode, 200)
  assert.equal((await bob.get('/auth/me')).statusCode, 401)
})
