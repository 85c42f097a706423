import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD, type World, world } from '../../../test/world.ts'
import { fromNow } from '../../lib/time.ts'

const HERE = '203.0.113.7'
const ELSEWHERE = '198.51.100.9'

/** Signs in from an address; `headers` are those of the request. */
const attempt = (
  { nobody }: World,
  {
    username = 'ann@example.com',
    password = 'not the password',
    from = HERE,
    headers = {},
  }: { username?: string; password?: string; from?: string; headers?: Record<string, string> } = {},
) =>
  nobody.send('/auth/token', {
    method: 'POST',
    remoteAddress: from,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ username, password }).toString(),
  })

const statusOf = async (...options: Parameters<typeof attempt>) =>
  (await attempt(...options)).statusCode

async function failed(here: World, times: number, options?: Parameters<typeof attempt>[1]) {
  for (let count = 0; count < times; count++) assert.equal(await statusOf(here, options), 401)
}

test('after SIGN_IN_FAILURES failures at one account comes 429, for the right password too', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '3' })
  await failed(here, 3)
  for (const password of ['not the password', PASSWORD]) {
    const answer = await attempt(here, { password })
    assert.equal(answer.statusCode, 429)
    assert.match(String(answer.headers['retry-after']), /^\d+$/)
    const wait = Number(answer.headers['retry-after'])
    assert.ok(wait >= 1 && wait <= 15 * 60, `Retry-After: ${wait}`)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.json().detail, 'Too many failed attempts. Try again later.')
  }
})

test('an account that does not exist is locked as one that does', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  const lockedAnswer = async (username: string) => {
    await failed(here, 2, { username })
    const answer = await attempt(here, { username })
    const { request_id, ...body } = answer.json()
    return { status: answer.statusCode, body }
  }
  const known = await lockedAnswer('ann@example.com')
  assert.equal(known.status, 429)
  assert.deepEqual(await lockedAnswer('eve@example.com'), known)
})

test('other spellings of the e-mail address are the same account', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '3' })
  for (const username of ['ANN@example.com', ' ann@example.com ', 'ann@EXAMPLE.com'])
    await failed(here, 1, { username })
  assert.equal(await statusOf(here, { password: PASSWORD }), 429)
})

test('failures lock out neither another address nor another account', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  await failed(here, 2)
  assert.equal(await statusOf(here, { password: PASSWORD }), 429)
  assert.equal(await statusOf(here, { password: PASSWORD, from: ELSEWHERE }), 200)
  assert.equal(await statusOf(here, { password: PASSWORD, username: 'bob@example.com' }), 200)
  assert.equal(await statusOf(here, { password: PASSWORD }), 429, 'still locked')
  assert.equal((await here.ann.get('/auth/me')).statusCode, 200, 'who is signed in stays so')
})

test('a forwarded address counts only when it comes from a trusted proxy', async (t) => {
  const direct = await world(t, { SIGN_IN_FAILURES: '2' })
  const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': address } })
  await failed(direct, 1, forwarded('192.0.2.1'))
  await failed(direct, 1, forwarded('192.0.2.2'))
  assert.equal(await statusOf(direct, forwarded('192.0.2.3')), 429)

  const proxied = await world(t, {
    SIGN_IN_FAILURES: '2',
    PROXY_HEADERS: '1',
    FORWARDED_ALLOW_IPS: HERE,
  })
  await failed(proxied, 2, forwarded('192.0.2.1'))
  assert.equal(await statusOf(proxied, forwarded('192.0.2.1')), 429)
  assert.equal(await statusOf(proxied, { ...forwarded('192.0.2.2'), password: PASSWORD }), 200)
})

test('a success clears the failures before it', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '3' })
  for (let round = 0; round < 3; round++) {
    await failed(here, 2)
    assert.equal(await statusOf(here, { password: PASSWORD }), 200)
  }
  await failed(here, 3)
  assert.equal(await statusOf(here), 429)
})

test('any number of successes locks nobody out', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  for (let count = 0; count < 12; count++)
    assert.equal(await statusOf(here, { password: PASSWORD }), 200)
})

test('wrong attempts at the same time do not get past the limit', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '3' })
  const statuses = await Promise.all(Array.from({ length: 12 }, () => statusOf(here)))
  assert.deepEqual(statuses.sort(), [...Array(3).fill(401), ...Array(9).fill(429)])
})

test('one address may fail ten times SIGN_IN_FAILURES at all accounts together', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  for (let number = 0; number < 10; number++)
    await failed(here, 1, { username: `guess${number}@example.com` })
  const unguessed = { username: 'bob@example.com', password: PASSWORD }
  assert.equal(await statusOf(here, unguessed), 429)
  assert.equal(await statusOf(here, { ...unguessed, from: ELSEWHERE }), 200)
})

test('a success gives an address no more failures at other accounts', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  for (let number = 0; number < 10; number++) {
    await failed(here, 1, { username: `guess${number}@example.com` })
    if (number < 9) assert.equal(await statusOf(here, { password: PASSWORD }), 200)
  }
  assert.equal(await statusOf(here, { username: 'bob@example.com', password: PASSWORD }), 429)
})

test('when the 15 minutes are over the account is open again, with a new count', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  const age = () =>
    here.db
      .updateTable('sign_in_failures')
      .set({ window_ends_at: fromNow(-1) })
      .execute()
  await failed(here, 2)
  assert.equal(await statusOf(here, { password: PASSWORD }), 429)
  await age()
  await failed(here, 2)
  assert.equal(await statusOf(here, { password: PASSWORD }), 429)
  await age()
  assert.equal(await statusOf(here, { password: PASSWORD }), 200)
})

test('trying while locked out does not make the wait longer', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  const windows = () =>
    here.db
      .selectFrom('sign_in_failures')
      .select(['subject', 'window_ends_at'])
      .orderBy('subject')
      .execute()
  await failed(here, 1)
  const before = await windows()
  for (let count = 0; count < 3; count++) assert.equal(await statusOf(here), 429)
  assert.deepEqual(await windows(), before)
})

test('neither an address nor an account can be read from the counts', async (t) => {
  const here = await world(t)
  await failed(here, 1)
  const rows = JSON.stringify(await here.db.selectFrom('sign_in_failures').selectAll().execute())
  assert.match(rows, /"subject"/)
  assert.doesNotMatch(rows, /203\.0\.113|ann|example/)
})
