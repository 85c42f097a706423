import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../../test/server.ts'
import {
  faultOf,
  noticeOf,
  signedInVisitor,
  filledIn,
  focusOf,
  visitor,
  warningOf,
} from '../../../test/visitor.ts'
import { PASSWORD, type World, world } from '../../../test/world.ts'
import { fromNow } from '../../lib/time.ts'

const CREDENTIALS = { username: 'ann@example.com', password: PASSWORD }
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0'

test('the session’s cookie is HttpOnly, Lax and for the whole site, and lasts as long as the session', async (t) => {
  const here = await world(t, { SESSION_LIFETIME: '7200' })
  const answer = await visitor(here).submit('/login', CREDENTIALS)
  const cookie = answer.cookies.find(({ name }) => name === 'session')
  assert.ok(cookie)
  const { value, ...flags } = cookie
  assert.match(value, /^[\w-]{43}$/, '256 random bits')
  assert.deepEqual(flags, {
    name: 'session',
    maxAge: 7200,
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
  })
})

test('a session ends when it was idle for too long, and at its limit however busy it is', async (t) => {
  const here = await world(t, { SESSION_IDLE_TIMEOUT: '3600', SESSION_LIFETIME: '86400' })
  const browser = await signedInVisitor(here)
  const set = (times: { last_used_at?: string; expires_at?: string }) =>
    here.db.updateTable('sessions').set(times).where('cookie_digest', 'is not', null).execute()
  const status = async () => (await browser.get('/home')).statusCode

  await set({ last_used_at: fromNow(-3590) })
  assert.equal(await status(), 200)
  // Beside the request.
  const isNoted = async () => {
    const { last_used_at } = await here.db
      .selectFrom('sessions')
      .select('last_used_at')
      .where('cookie_digest', 'is not', null)
      .executeTakeFirstOrThrow()
    return last_used_at > fromNow(-60)
  }
  await until(isNoted, () => 'its use was noted')
  await set({ last_used_at: fromNow(-3610) })
  const away = await browser.get('/home?show=done')
  assert.equal(away.headers.location, '/login?next=%2Fhome%3Fshow%3Ddone')

  const longest = `/home?q=${encodeURIComponent('😀'.repeat(200))}`
  assert.equal(
    (await browser.get(String((await browser.get(longest)).headers.location))).statusCode,
    200,
  )
  const tooLong = await browser.get(`/home?x=${'x'.repeat(5000)}`)
  assert.equal(tooLong.headers.location, '/login?next=%2Fhome')

  await set({ last_used_at: fromNow(0) })
  assert.equal(await status(), 200)
  await set({ expires_at: fromNow(-1) })
  assert.equal(await status(), 302)
})

test('a wrong pair is the form again with the address and a word, never with the password (401)', async (t) => {
  const here = await world(t)
  const browser = visitor(here)
  const answers = []
  for (const username of ['ann@example.com', 'nobody@example.com']) {
    const answer = await browser.submit('/login', {
      username,
      password: 'wr0ng "guess"',
      next: '/account',
    })
    assert.equal(answer.statusCode, 401)
    assert.match(String(answer.headers['content-type']), /^text\/html/)
    assert.equal(filledIn(answer, 'username'), username)
    assert.match(answer.body, /name="next" value="\/account"/)
    assert.doesNotMatch(answer.body, /wr0ng/)
    assert.equal(warningOf(answer), 'Incorrect email or password')
    answers.push(answer.body.replaceAll(username, ''))
  }
  assert.equal(answers[0], answers[1], 'nobody learns who has an account')
  assert.deepEqual([...browser.cookies], [])
})

test('a sign-up that cannot be is the form again with what was typed, and each fault at its field (422)', async (t) => {
  const here = await world(t)
  const typed = { fname: '<i>Eve</i>', lname: ' ', email: 'eve@', password: 'short' }
  const answer = await visitor(here).submit('/signup', typed)
  assert.equal(answer.statusCode, 422)
  assert.equal(filledIn(answer, 'fname'), '<i>Eve</i>')
  assert.equal(filledIn(answer, 'email'), 'eve@')
  assert.equal(filledIn(answer, 'password'), '')
  assert.equal(faultOf(answer, 'fname'), undefined)
  assert.match(faultOf(answer, 'lname') ?? '', /^Last name must have at least 1 character/)
  assert.match(faultOf(answer, 'email') ?? '', /^E-mail address must be/)
  assert.match(faultOf(answer, 'password') ?? '', /^Password must have at least 8 characters/)
  const again = (await visitor(here).submit('/signup', { ...typed, password: 'eve@' })).body
  assert.doesNotMatch(again, /type="password"[^>]*value="[^"]/)
})

test('a sign-up that cannot be begins at the first field that is wrong', async (t) => {
  const here = await world(t)
  const right = { fname: 'Eve', lname: 'New', email: 'eve@example.com', password: PASSWORD }
  const focusAfter = async (typed: Record<string, string>) =>
    focusOf(await visitor(here).submit('/signup', { ...right, ...typed }))
  assert.equal(focusOf(await visitor(here).get('/signup')), 'fname')
  assert.equal(await focusAfter({ lname: ' ', password: 'short' }), 'lname')
  assert.equal(await focusAfter({ password: 'short' }), 'password')
  assert.equal(await focusAfter({ email: 'ann@example.com' }), 'email')
})

test('a taken e-mail address is the form again with a word about it (409)', async (t) => {
  const here = await world(t)
  const answer = await visitor(here).submit('/signup', {
    fname: 'Ann',
    lname: 'Other',
    email: 'ANN@example.com',
    password: PASSWORD,
  })
  assert.equal(answer.statusCode, 409)
  assert.equal(warningOf(answer), 'Email already registered.')
  assert.equal(filledIn(answer, 'email'), 'ANN@example.com')
})

test('signing up signs in, and a message survives the redirect and shows once', async (t) => {
  const here = await world(t)
  const browser = visitor(here)
  const account = { fname: 'Eve', lname: 'New', email: 'eve@example.com', password: PASSWORD }
  const answer = await browser.submit('/signup', { ...account, next: '/account' })
  assert.equal(answer.headers.location, '/account')
  const page = await browser.follow(answer)
  assert.equal(noticeOf(page), 'Your account is ready. Welcome!')
  assert.match(page.body, /eve@example\.com/)
  assert.equal(noticeOf(await browser.get('/account')), undefined)
})

test('who sends a form when the session is over hears that it was not saved, and comes back to its page', async (t) => {
  const here = await world(t)
  const nobody = visitor(here)
  for (const [path, page] of [
    ['/account/names', '/account'],
    ['/home/todos', '/home'],
    ['/sessions/end-others', '/sessions'],
  ] as const) {
    const form = await nobody.follow(await nobody.submit(path, { fname: 'Anna' }))
    assert.match(String(warningOf(form)), /^You were signed out before that was saved\./)
    assert.ok(form.body.includes(`name="next" value="${page}"`), page)
  }
})

test('nobody puts words in a page’s mouth by the cookie of the message', async (t) => {
  const here = await world(t)
  for (const flash of ['You+won', '<b>x</b>', 'toString', '__proto__', 'constructor']) {
    const page = await visitor(here, { cookie: `flash=${flash}` }).get('/login')
    assert.equal(page.statusCode, 200)
    assert.equal(noticeOf(page), undefined, flash)
  }
})

test('signing out says so, and the way back in leads to where one was', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const secret = browser.cookies.get('session')
  const page = await browser.follow(await browser.submit('/logout'))
  assert.equal(noticeOf(page), 'You are signed out.')
  assert.equal(browser.cookies.has('session'), false)
  const answer = await here.nobody.get('/auth/me', { cookie: `session=${secret}` })
  assert.equal(answer.statusCode, 401)

  const led = await browser.get('/sessions')
  assert.equal(led.headers.location, '/login?next=%2Fsessions')
  const form = await browser.follow(led)
  assert.match(form.body, /name="next" value="\/sessions"/)
  const back = await browser.submit('/login', { ...CREDENTIALS, next: '/sessions' })
  assert.equal(back.headers.location, '/sessions')
})

test('asking for the headers alone, or ahead of time, signs nobody out and takes no message', async (t) => {
  const here = await world(t)
  const signedIn = visitor(here)
  await signedIn.submit('/login', CREDENTIALS)
  const cookie = [...signedIn.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  for (const options of [
    { method: 'HEAD', headers: {} },
    { method: 'GET', headers: { 'sec-purpose': 'prefetch;prerender' } },
    { method: 'GET', headers: { purpose: 'prefetch' } },
  ] as const) {
    for (const url of ['/home', '/logout']) {
      const answer = await here.app.inject({
        ...options,
        url,
        headers: { ...options.headers, cookie, 'sec-fetch-site': 'none' },
      })
      assert.equal(answer.statusCode, 200, url)
      assert.deepEqual(answer.cookies, [])
    }
  }
  const page = await visitor(here, { cookie }).get('/home')
  assert.equal(noticeOf(page), 'Welcome back.')
})

test('too many wrong passwords are the form again with when to come back (429)', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  const browser = visitor(here)
  const wrong = { ...CREDENTIALS, password: 'wrong' }
  for (const status of [401, 401, 429]) {
    assert.equal((await browser.submit('/login', wrong)).statusCode, status)
  }
  const answer = await browser.submit('/login', CREDENTIALS)
  assert.equal(answer.statusCode, 429)
  assert.match(String(answer.headers['retry-after']), /^\d+$/)
  assert.match(
    warningOf(answer) ?? '',
    /^Too many .* Please wait 1[0-5] minutes before the next try\.$/,
  )
  assert.equal(filledIn(answer, 'username'), 'ann@example.com')
})

/** The ids of the sessions that the page lists, and what it says of each. */
function listed(body: string): ReadonlyArray<{ id: string; text: string }> {
  return body
    .split('<li class="session">')
    .slice(1)
    .map((item) => ({
      id: /action="\/sessions\/(\d+)\/end"/.exec(item)?.[1] ?? '',
      text: (item.split('</li>', 1)[0] ?? '').replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' '),
    }))
}

async function threeSessions(t: TestContext): Promise<World> {
  const here = await world(t)
  await signedInVisitor(here, 'bob')
  return here
}

test('the list of sessions names browser, system, address and times, this one first', async (t) => {
  const here = await threeSessions(t)
  const browser = await signedInVisitor(here, 'ann', { 'user-agent': FIREFOX })
  const other = { 'user-agent': '<script>alert(1)</script>' }
  await signedInVisitor(here, 'ann', other)
  const page = await browser.get('/sessions')
  assert.equal(page.statusCode, 200)
  const sessions = listed(page.body)
  assert.equal(sessions.length, 3, 'two browsers and the client that the tests signed in')
  assert.match(
    sessions[0]?.text ?? '',
    /Firefox on Windows This browser Browser, from 127\.0\.0\.1/,
  )
  assert.match(sessions[0]?.text ?? '', /Last used \d+ \w+ \d{4} at \d\d:\d\d UTC Signed in/)
  assert.match(page.body, /<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z">/)
  assert.match(sessions[1]?.text ?? '', /An unknown program Browser/)
  assert.match(sessions[2]?.text ?? '', /API client/)
  assert.doesNotMatch(page.body, /<script>/)
})

test('a session that is ended from the list is nobody at once, browser or program', async (t) => {
  const here = await threeSessions(t)
  const browser = await signedInVisitor(here)
  const other = await signedInVisitor(here)
  const others = listed((await browser.get('/sessions')).body).slice(1)
  assert.equal(others.length, 2)
  for (const { id } of others) {
    const page = await browser.follow(await browser.submit(`/sessions/${id}/end`))
    assert.equal(noticeOf(page), 'The session has ended.')
  }
  assert.equal((await other.get('/home')).statusCode, 302)
  assert.equal((await here.ann.get('/auth/me')).statusCode, 401)
  assert.equal((await here.bob.get('/auth/me')).statusCode, 200)
  const page = await browser.get('/sessions')
  assert.equal(listed(page.body).length, 1)
  assert.match(page.body, /signed in nowhere else/)
})

test('all others end at once, and this browser stays', async (t) => {
  const here = await threeSessions(t)
  const browser = await signedInVisitor(here)
  const other = await signedInVisitor(here)
  const bobs = await signedInVisitor(here, 'bob')
  const page = await browser.follow(await browser.submit('/sessions/end-others'))
  assert.equal(noticeOf(page), 'Your other sessions have ended.')
  assert.equal(listed(page.body).length, 1)
  assert.equal((await other.get('/home')).statusCode, 302)
  assert.equal((await here.ann.get('/auth/me')).statusCode, 401)
  assert.equal((await bobs.get('/home')).statusCode, 200)
})

test('ending the session of this browser signs out', async (t) => {
  const here = await threeSessions(t)
  const browser = await signedInVisitor(here)
  const [mine] = listed((await browser.get('/sessions')).body)
  const page = await browser.follow(await browser.submit(`/sessions/${mine?.id}/end`))
  assert.equal(noticeOf(page), 'You are signed out.')
  assert.equal(browser.cookies.has('session'), false)
})

test('another’s session is not found, and goes on (404)', async (t) => {
  const here = await threeSessions(t)
  const browser = await signedInVisitor(here)
  const bobs = await signedInVisitor(here, 'bob')
  const [his] = listed((await bobs.get('/sessions')).body)
  assert.equal((await browser.submit(`/sessions/${his?.id}/end`)).statusCode, 404)
  assert.equal((await browser.submit('/sessions/9007199254740991/end')).statusCode, 404)
  assert.equal((await bobs.get('/home')).statusCode, 200)
})

test('sessions that ran out or were idle for too long are not listed', async (t) => {
  const here = await world(t, { SESSION_IDLE_TIMEOUT: '3600' })
  const browser = await signedInVisitor(here)
  await signedInVisitor(here)
  await signedInVisitor(here)
  const [, idle, over] = listed((await browser.get('/sessions')).body)
  const set = (id: string | undefined, times: { last_used_at?: string; expires_at?: string }) =>
    here.db.updateTable('sessions').set(times).where('id', '=', Number(id)).execute()
  await set(idle?.id, { last_used_at: fromNow(-3700) })
  await set(over?.id, { expires_at: fromNow(-1) })
  const left = listed((await browser.get('/sessions')).body).map(({ id }) => id)
  assert.equal(left.length, 2)
  assert.ok(!left.includes(idle?.id ?? '') && !left.includes(over?.id ?? ''))
})

test('of very many sessions this one and those used last are listed, with the number of all, and all can be ended', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const [own] = listed((await browser.get('/sessions')).body)
  const others = Array.from({ length: 150 }, (_, index) => ({
    user_id: here.ann.id,
    cookie_digest: `digest-${index}`,
    user_agent: `Reader-${index}`,
    address: null,
    created_at: fromNow(0),
    last_used_at: fromNow(60 + index),
    expires_at: fromNow(1000),
  }))
  await here.db.insertInto('sessions').values(others).execute()
  const page = await browser.get('/sessions')
  const [first, ...shown] = listed(page.body)
  assert.equal(first?.id, own?.id)
  assert.deepEqual(
    shown.map(({ text }) => text.trim().split(' Browser', 1)[0]),
    others
      .map(({ user_agent }) => user_agent)
      .slice(-99)
      .reverse(),
  )
  assert.match(page.body, /The 99 used last, of 151\./)
  assert.match((await browser.get('/account')).body, /<strong>152 sessions<\/strong>/)

  const after = await browser.follow(await browser.submit('/sessions/end-others'))
  assert.match(after.body, /You are signed in nowhere else/)
  assert.match((await browser.get('/account')).body, /You are signed in here only/)
})

test('a program’s session whose refresh token ran out is not listed, and is exported all the same', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  assert.equal(listed((await browser.get('/sessions')).body).length, 2)
  assert.match((await browser.get('/account')).body, /<strong>2 sessions<\/strong>/)
  await here.db
    .updateTable('refresh_tokens')
    .set({ expires_at: fromNow(-1) })
    .execute()
  const [own, ...others] = listed((await browser.get('/sessions')).body)
  assert.ok(own)
  assert.deepEqual(others, [])
  assert.match((await browser.get('/account')).body, /You are signed in here only/)
  assert.equal((await browser.get('/account/export')).json().sessions.length, 2)
})

test('a program’s session is listed for as long as its refresh token is good', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const refresh_token = here.ann.refreshToken
  await here.nobody.form('/auth/token', { grant_type: 'refresh_token', refresh_token })
  await here.db
    .updateTable('sessions')
    .set({ last_used_at: fromNow(-10_000_000) })
    .where('cookie_digest', 'is', null)
    .execute()
  assert.equal(listed((await browser.get('/sessions')).body).length, 2)
})
