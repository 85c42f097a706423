import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  faultOf,
  noticeOf,
  signedInVisitor,
  filledIn,
  visitor,
  warningOf,
} from '../../../test/visitor.ts'
import { PASSWORD, world } from '../../../test/world.ts'

const NEW_PASSWORD = 'clouds over the weir'

test('names are changed, shown and announced; text that looks like markup stays text', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const names = { fname: '<img src=x onerror=alert(1)>', lname: '"Quoted" & Co' }
  const page = await browser.follow(await browser.submit('/account/names', names))
  assert.equal(noticeOf(page), 'Your names were changed.')
  assert.equal(filledIn(page, 'fname'), names.fname)
  assert.equal(filledIn(page, 'lname'), names.lname)
  assert.doesNotMatch(page.body, /<img src=x/)
  const { fname, lname } = (await here.ann.get('/auth/me')).json()
  assert.deepEqual({ fname, lname }, names)
})

test('names that cannot be come back as typed, each with its fault (422)', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const page = await browser.submit('/account/names', { fname: ' ', lname: 'x'.repeat(101) })
  assert.equal(page.statusCode, 422)
  assert.equal(filledIn(page, 'lname'), 'x'.repeat(101))
  assert.match(faultOf(page, 'fname') ?? '', /^First name must have at least 1 character/)
  assert.match(faultOf(page, 'lname') ?? '', /^Last name must have at most 100 characters/)
  assert.equal((await here.ann.get('/auth/me')).json().fname, 'ann')
})

test('the e-mail address needs the current password, and is then what one signs in with', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const email = 'ann.new@example.com'
  const wrong = await browser.submit('/account/email', { email, current_password: 'wr0ng guess' })
  assert.equal(wrong.statusCode, 422)
  assert.equal(filledIn(wrong, 'email'), email)
  assert.equal(faultOf(wrong, 'email-password'), 'Current password is wrong.')
  assert.equal(faultOf(wrong, 'current_password'), undefined, 'the other form is as it was')
  assert.doesNotMatch(wrong.body, /wr0ng/)
  assert.equal((await here.ann.get('/auth/me')).json().email, 'ann@example.com')

  const done = await browser.submit('/account/email', { email, current_password: PASSWORD })
  const page = await browser.follow(done)
  assert.equal(noticeOf(page), 'Your e-mail address was changed.')
  const again = await visitor(here).submit('/login', { username: email, password: PASSWORD })
  assert.equal(again.statusCode, 302)
})

test('a taken or misspelt e-mail address is the form again (409, 422)', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  for (const [email, status] of [
    ['BOB@example.com', 409],
    ['bob', 422],
  ] as const) {
    const page = await browser.submit('/account/email', { email, current_password: PASSWORD })
    assert.equal(page.statusCode, status)
    assert.equal(filledIn(page, 'email'), email)
    const said = status === 409 ? warningOf(page) : faultOf(page, 'email')
    assert.match(said ?? '', status === 409 ? /already registered/ : /^E-mail address must be/)
  }
})

test('an e-mail address that begins with the password is refused at its field (422)', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const password = 'tin-roofs'
  await browser.submit('/account/password', { current_password: PASSWORD, password })
  const email = `${password}@example.com`
  const page = await browser.submit('/account/email', { email, current_password: password })
  assert.equal(page.statusCode, 422)
  assert.match(faultOf(page, 'email') ?? '', /^E-mail address must not begin with the password/)
  assert.equal(filledIn(page, 'email'), email)
})

test('a new password ends every other session, and the old one opens nothing any more', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  const other = await signedInVisitor(here)
  const fields = { current_password: PASSWORD, password: NEW_PASSWORD }
  const page = await browser.follow(await browser.submit('/account/password', fields))
  assert.equal(noticeOf(page), 'Your password was changed. Your other sessions have ended.')
  assert.match(page.body, /signed in here only/)
  assert.equal((await other.get('/home')).statusCode, 302)
  assert.equal((await here.ann.get('/auth/me')).statusCode, 401)
  const username = 'ann@example.com'
  const signIn = (password: string) => visitor(here).submit('/login', { username, password })
  assert.equal((await signIn(PASSWORD)).statusCode, 401)
  assert.equal((await signIn(NEW_PASSWORD)).statusCode, 302)
})

test('a password that is short, common or the address, or a wrong one before it, is refused (422)', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  for (const [current_password, password, field, said] of [
    [PASSWORD, 'short', 'password', /^New password must have at least 8 characters/],
    [PASSWORD, 'password123', 'password', /^New password is among the passwords/],
    [PASSWORD, 'ann@example.com', 'password', /^New password must not be the e-mail address/],
    ['wr0ng guess', NEW_PASSWORD, 'current_password', /^Current password is wrong/],
    ['', NEW_PASSWORD, 'current_password', /^Current password must have at least 1 character/],
  ] as const) {
    const page = await browser.submit('/account/password', { current_password, password })
    assert.equal(page.statusCode, 422)
    assert.match(faultOf(page, field) ?? '', said)
    assert.equal(filledIn(page, 'password'), '')
    assert.equal(filledIn(page, 'current_password'), '')
  }
  assert.equal((await here.ann.get('/auth/me')).statusCode, 200, 'no session has ended')
})

test('wrong current passwords are limited, as at the sign-in (429)', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '2' })
  const browser = await signedInVisitor(here)
  const fields = { current_password: 'wrong', password: NEW_PASSWORD }
  for (const status of [422, 422, 429]) {
    assert.equal((await browser.submit('/account/password', fields)).statusCode, status)
  }
  const right = await browser.submit('/account/delete', { password: PASSWORD })
  assert.equal(right.statusCode, 429)
  assert.match(warningOf(right) ?? '', /Too many/)
})

test('the account goes only after a warning and with the password, and all of it goes', async (t) => {
  const here = await world(t)
  await here.ann.post('/api/v1/todos', { text: 'Hers' })
  const browser = await signedInVisitor(here)
  assert.match((await browser.get('/account')).body, /href="\/account\/delete"/)
  const question = await browser.get('/account/delete')
  assert.match(question.body, /ann@example\.com[\s\S]*Nobody can bring it back/)

  const wrong = await browser.submit('/account/delete', { password: 'wr0ng guess' })
  assert.equal(wrong.statusCode, 422)
  assert.equal(faultOf(wrong, 'password'), 'Password is wrong.')
  assert.equal((await here.ann.get('/auth/me')).statusCode, 200)

  const page = await browser.follow(await browser.submit('/account/delete', { password: PASSWORD }))
  assert.equal(noticeOf(page), 'Your account and everything in it were deleted.')
  assert.equal(browser.cookies.has('session'), false)
  assert.equal((await here.ann.get('/auth/me')).statusCode, 401)
  const credentials = { username: 'ann@example.com', password: PASSWORD }
  assert.equal((await visitor(here).submit('/login', credentials)).statusCode, 401)
  assert.equal((await here.bob.get('/auth/me')).statusCode, 200)
})

test('a password that is too long is refused in words, and not cut by the browser', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  for (const url of ['/login', '/signup', '/account', '/account/delete']) {
    const { body } = await browser.get(url)
    const fields = body.match(/<input[^>]* type="password"[^>]*>/g) ?? []
    assert.ok(fields.length > 0, url)
    for (const field of fields) assert.doesNotMatch(field, /maxlength/, url)
  }
  const refused = await browser.submit('/account/delete', { password: 'x'.repeat(1025) })
  assert.equal(faultOf(refused, 'password'), 'Password must have at most 1024 characters.')
})
