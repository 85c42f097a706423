import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { clientOf, PASSWORD, type World, world } from '../../../test/world.ts'
import { buildApp } from '../../app.ts'
import { countOf } from '../../db/queries.ts'
import { hash, hashing } from '../../lib/passwords.ts'
import { fromNow } from '../../lib/time.ts'
import { purge } from './store.ts'

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

test('right attempts at the same time that are too many may come again at once', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '3' })
  const right = () => attempt(here, { password: PASSWORD })
  const answers = await Promise.all(Array.from({ length: 30 }, right))
  const refused = answers.filter(({ statusCode }) => statusCode === 429)
  assert.ok(refused.length > 0)
  for (const { headers } of refused) assert.equal(headers['retry-after'], '1')
  assert.equal((await right()).statusCode, 200)
})

test('one address may fail ten times SIGN_IN_FAILURES at all accounts together', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  for (let number = 0; number < 10; number++)
    await failed(here, 1, { username: `guess${number}@example.com` })
  const unguessed = { username: 'bob@example.com', password: PASSWORD }
  assert.equal(await statusOf(here, unguessed), 429)
  assert.equal(await statusOf(here, { ...unguessed, from: ELSEWHERE }), 200)
})

test('an address that is refused leaves nothing behind for the accounts that it names', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  const rows = () => countOf(here.db.selectFrom('sign_in_failures'))
  const guess = (number: number) => statusOf(here, { username: `person${number}@example.com` })
  for (let number = 0; number < 10; number++) assert.equal(await guess(number), 401)
  const before = await rows()
  for (let number = 10; number < 20; number++) assert.equal(await guess(number), 429)
  assert.equal(await rows(), before)
})

test('who is locked out of one account does not lock the address out of the others', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  await failed(here, 1)
  for (let time = 0; time < 20; time++) assert.equal(await statusOf(here), 429)
  assert.equal(await statusOf(here, { username: 'bob@example.com', password: PASSWORD }), 200)
})

test('a password that nobody had the time to look at is no failure', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  const hashes: Array<Promise<string | undefined>> = []
  const keepFull = setInterval(() => {
    while (hashing().waiting < 200) hashes.push(hash(PASSWORD).catch(() => undefined))
  }, 0)
  t.after(() => clearInterval(keepFull))
  for (let time = 0; time < 3; time++) {
    let status = 0
    // There may be room for it in the moment between two hashes.
    while (status !== 503) {
      status = await statusOf(here, { password: PASSWORD })
      assert.ok(status === 200 || status === 503, `${status}`)
    }
  }
  clearInterval(keepFull)
  await Promise.all(hashes)
  assert.equal(await statusOf(here, { password: PASSWORD }), 200)
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

const addressOf = (number: number) => `198.51.100.${number}`

/** Failures at one account, each from an address of its own. */
async function failedFromEverywhere(here: World, times: number, username = 'ann@example.com') {
  for (let number = 0; number < times; number++)
    await failed(here, 1, { username, from: addressOf(number) })
}

test('guesses at one account from many addresses are limited together, wherever the next comes from', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  for (const username of ['ann@example.com', 'no.such.account@example.com']) {
    await failedFromEverywhere(here, 10, username)
    const answer = await attempt(here, { username, from: addressOf(11) })
    assert.equal(answer.statusCode, 429, username)
    assert.ok(Number(answer.headers['retry-after']) >= 1)
  }
  const right = { password: PASSWORD, from: addressOf(12) }
  assert.equal(await statusOf(here, right), 429, 'the right password from a new address too')
  assert.equal(await statusOf(here, { ...right, username: 'bob@example.com' }), 200)
})

test('they do not keep the owner out at an address that was used before', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  assert.equal(await statusOf(here, { password: PASSWORD, from: HERE }), 200)
  await failedFromEverywhere(here, 10)
  assert.equal(await statusOf(here, { password: PASSWORD, from: ELSEWHERE }), 429)
  for (let count = 0; count < 3; count++)
    assert.equal(await statusOf(here, { password: PASSWORD, from: HERE }), 200)
  await failed(here, 1, { from: HERE })
  assert.equal(await statusOf(here, { from: HERE }), 429, 'which has a limit of its own')
})

test('an address is forgotten that was not used for 90 days', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  const right = { password: PASSWORD, from: HERE }
  const unusedFor = async (days: number) => {
    await here.db
      .updateTable('sign_in_places')
      .set({ last_used_at: fromNow(-days * 24 * 60 * 60) })
      .execute()
    await purge(here.db)
  }
  assert.equal(await statusOf(here, right), 200)
  await failedFromEverywhere(here, 10)
  await unusedFor(89)
  assert.equal(await statusOf(here, right), 200)
  await unusedFor(91)
  assert.equal(await statusOf(here, right), 429, 'as from an address that is new')
})

const login = (
  { nobody }: World,
  { from, cookie = '', password = PASSWORD }: { from: string; cookie?: string; password?: string },
) =>
  nobody.send('/login', {
    method: 'POST',
    remoteAddress: from,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      cookie,
    },
    body: new URLSearchParams({ username: 'ann@example.com', password }).toString(),
  })

/** The cookie by which a browser is known that signs in. */
async function knownBrowser(here: World): Promise<string> {
  const answer = await login(here, { from: HERE })
  assert.equal(answer.statusCode, 302)
  const device = answer.cookies.find(({ name }) => name === 'device')
  assert.ok(device?.httpOnly && device.sameSite === 'Lax' && (device.maxAge ?? 0) > 0)
  return `device=${device.value}`
}

test('nor in a browser that was used before, at whatever address', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  const cookie = await knownBrowser(here)
  await failedFromEverywhere(here, 10)
  assert.equal((await login(here, { from: addressOf(20) })).statusCode, 429)
  const forged = `device=${'x'.repeat(43)}`
  assert.equal((await login(here, { from: addressOf(21), cookie: forged })).statusCode, 429)
  const welcome = await login(here, { from: addressOf(22), cookie })
  assert.equal(welcome.statusCode, 302)
  assert.ok(
    welcome.cookies.some(({ name, value }) => cookie === `${name}=${value}`),
    'it keeps its cookie',
  )
})

test('nor in such a browser by failures at the same address, at this account or at others', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  const cookie = await knownBrowser(here)
  await failed(here, 1)
  assert.equal((await login(here, { from: HERE })).statusCode, 429)
  assert.equal((await login(here, { from: HERE, cookie })).statusCode, 302)
  for (let number = 0; number < 9; number++) {
    await failed(here, 1, { username: `nobody${number}@example.com` })
  }
  assert.equal(await statusOf(here, { username: 'bob@example.com', password: PASSWORD }), 429)
  assert.equal((await login(here, { from: HERE, cookie })).statusCode, 302)
})

test('a clock that was ahead locks nobody out when it is put right', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  await failed(here, 1)
  const countTo = (seconds: number) =>
    here.db
      .updateTable('sign_in_failures')
      .set({ window_ends_at: fromNow(seconds) })
      .execute()
  await countTo(20 * 60)
  assert.equal(await statusOf(here), 429, 'as by a machine that is somewhat ahead')
  await countTo(400 * 24 * 60 * 60)
  assert.equal(await statusOf(here, { password: PASSWORD }), 200)
  await countTo(400 * 24 * 60 * 60)
  await purge(here.db)
  assert.equal(await countOf(here.db.selectFrom('sign_in_failures')), 0)
})

test('a stolen cookie of a known browser is good for few guesses, wherever they come from', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  const cookie = await knownBrowser(here)
  const guess = async (number: number) =>
    (await login(here, { from: addressOf(number), cookie, password: 'a guess' })).statusCode
  assert.deepEqual([await guess(1), await guess(2), await guess(3)], [401, 401, 429])
})

test('all addresses of an IPv6 network count as one, and an IPv4 address in IPv6 as itself', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '3' })
  const household = ['2001:db8:1:2::1', '2001:DB8:1:2:ffff::2', '2001:db8:1:2:3:4:5:6']
  for (const from of household) await failed(here, 1, { from })
  assert.equal(await statusOf(here, { from: '2001:db8:1:2::9' }), 429)
  assert.equal(await statusOf(here, { from: '2001:db8:1:3::9', password: PASSWORD }), 200)
  await failed(here, 2)
  await failed(here, 1, { from: `::ffff:${HERE}` })
  assert.equal(await statusOf(here), 429)
})

test('the counts are shared by all processes on one database', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  const other = await buildApp(here.config, here.db, pino({ level: 'silent' }))
  t.after(() => other.close())
  const replica: World = { ...here, nobody: clientOf(other) }
  await failed(here, 1)
  await failed(replica, 1)
  assert.equal(await statusOf(here), 429)
  assert.equal(await statusOf(replica), 429)
})

test('signing in from ever new addresses locks nobody out', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  for (let number = 0; number < 15; number++)
    assert.equal(await statusOf(here, { password: PASSWORD, from: addressOf(number) }), 200)
})
