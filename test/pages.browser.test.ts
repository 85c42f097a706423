import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { assertAccessible } from './axe.ts'
import { desktop, openBrowser, phone } from './browser.ts'
import { assertWellMade, foreignRequests, unexpected } from './page-checks.ts'
import { startServer } from './server.ts'
import { PASSWORD } from './world.ts'

const PERSON = { fname: 'Ann', lname: 'Archer', email: 'ann@example.com', password: PASSWORD }
const CREDENTIALS = { username: PERSON.email, password: PASSWORD }

async function service(t: TestContext): Promise<string> {
  const { url } = await startServer(t)
  const signedUp = await fetch(`${url}/api/v1/users/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(PERSON),
  })
  assert.equal(signedUp.status, 201)
  return url
}

async function fill(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [id, text] of Object.entries(fields)) await page.locator(`#${id}`).fill(text)
}

async function press(page: Page, name: string): Promise<void> {
  const loaded = page.waitForEvent('load')
  await page.getByRole('button', { name, exact: true }).click()
  await loaded
}

async function signIn(page: Page): Promise<void> {
  await page.goto('/login')
  await fill(page, CREDENTIALS)
  await press(page, 'Sign in')
  assert.equal(new URL(page.url()).pathname, '/home')
}

test('axe would find a field without its label', async (t) => {
  const { page } = await openBrowser(t, { baseURL: await service(t) })
  await page.goto('/login')
  await page.evaluate("document.querySelector('label').remove()")
  await assert.rejects(assertAccessible(page, '/login'), /label/)
})

/** What each page looks like, and how to get there. In this order: the last needs a signed-in person. */
const STATES: ReadonlyArray<readonly [name: string, reach: (page: Page) => Promise<unknown>]> = [
  ['sign in', (page) => page.goto('/login')],
  [
    'sign in, refused',
    async (page) => {
      await fill(page, { ...CREDENTIALS, password: 'wrong' })
      await press(page, 'Sign in')
    },
  ],
  ['sign up', (page) => page.goto('/signup')],
  [
    'sign up, refused',
    async (page) => {
      await fill(page, { ...PERSON, lname: ' ', password: 'password123' })
      await press(page, 'Make the account')
      assert.equal(await page.locator('.fault').count(), 2)
    },
  ],
  ['nothing there', (page) => page.goto('/nothing')],
  ['account', async (page) => [await signIn(page), await page.goto('/account')]],
  [
    'account, changed',
    async (page) => {
      await fill(page, { fname: 'A name that is as long as names may be, '.repeat(2) })
      await press(page, 'Save the name')
      await page.getByText('Your names were changed.').waitFor()
    },
  ],
  [
    'account, refused',
    async (page) => {
      await fill(page, { current_password: 'wrong', password: 'clouds over the weir' })
      await press(page, 'Change the password')
      await page.getByText('Current password is wrong.').waitFor()
    },
  ],
  ['deletion', (page) => page.goto('/account/delete')],
  [
    'deletion, refused',
    async (page) => {
      await fill(page, { password: 'wrong' })
      await press(page, 'Delete my account')
    },
  ],
  ['sessions', (page) => page.goto('/sessions')],
]

const SURROUNDINGS: ReadonlyArray<readonly [name: string, options: BrowserContextOptions]> = [
  ['a desktop in the light', { ...desktop, colorScheme: 'light' }],
  ['a phone in the dark', { ...phone, colorScheme: 'dark' }],
  ['a small phone in the light', { ...phone, viewport: { width: 320, height: 640 } }],
  ['a desktop in the dark', { ...desktop, colorScheme: 'dark', reducedMotion: 'reduce' }],
]

for (const [name, options] of SURROUNDINGS) {
  test(`on ${name} every page in every state is accessible, fits, and asks nobody else`, async (t) => {
    const url = await service(t)
    const { page, errors } = await openBrowser(t, { baseURL: url, ...options })
    const foreign = foreignRequests(page, url)
    for (const [state, reach] of STATES) {
      await reach(page)
      await assertWellMade(page, `${state}, on ${name}`, options.isMobile === true)
    }
    assert.deepEqual(foreign, [])
    assert.deepEqual(unexpected(errors), [])
  })
}

/** The name of what has the focus, and whether one sees that. */
const FOCUSED = `(() => {
  const { activeElement: element } = document
  const { outlineStyle, boxShadow } = getComputedStyle(element)
  const name = element.labels?.[0]?.textContent ?? element.textContent
  const isSeen = outlineStyle !== 'none' || boxShadow !== 'none'
  return name.replaceAll(/\\s+/g, ' ').trim() + (isSeen ? '' : ' (unseen)')
})()`

async function tabThrough(page: Page, count: number): Promise<unknown[]> {
  const names: unknown[] = []
  for (let step = 0; step < count; step++) {
    await page.keyboard.press('Tab')
    names.push(await page.evaluate(FOCUSED))
  }
  return names
}

test('the keyboard goes through a page in the order in which one reads, and one sees where it is', async (t) => {
  const { page } = await openBrowser(t, { baseURL: await service(t) })
  await page.goto('/login')
  assert.equal(await page.evaluate(FOCUSED), 'E-mail address', 'where one begins')
  await page.keyboard.type(PERSON.email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORD)
  const loaded = page.waitForURL('**/home')
  await page.keyboard.press('Enter')
  await loaded

  await page.goto('/account')
  assert.deepEqual(await tabThrough(page, 19), [
    'Skip to the content',
    'Todo App',
    'Ann, your account',
    'Sign out',
    'First name',
    'Last name',
    'Save the name',
    'E-mail address',
    'Current password',
    'Change the address',
    'Current password',
    'New password',
    'Change the password',
    'Show the sessions',
    'Download all my data',
    'Delete the account…',
    'As the system',
    'Light',
    'Dark',
  ])
  await page.goto('/sessions')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  assert.deepEqual(await tabThrough(page, 2), ['Account', 'Sign out'])
})

const GROUND = 'getComputedStyle(document.documentElement).backgroundColor'

test('the chosen colours come at once, stay, and are there at the first paint', async (t) => {
  const url = await service(t)
  const { page, context } = await openBrowser(t, { baseURL: url, colorScheme: 'light' })
  await page.goto('/login')
  const light = await page.evaluate(GROUND)
  await page.evaluate('window.isSamePage = true')
  await page.getByRole('button', { name: 'Dark' }).click()
  const dark = await page.evaluate(GROUND)
  assert.notEqual(dark, light)
  assert.equal(await page.evaluate('window.isSamePage'), true, 'without loading the page anew')
  const pressed = page.getByRole('button', { name: 'Dark', pressed: true })
  await pressed.waitFor()

  // Nothing but the markup and the style: what they paint is what comes first.
  await context.route('**/*.js', (route) => route.abort())
  for (const path of ['/login', '/signup', '/nothing']) {
    await page.goto(path)
    assert.equal(await page.evaluate(GROUND), dark, path)
  }
  await pressed.waitFor()

  const later = await openBrowser(t, {
    baseURL: url,
    colorScheme: 'dark',
    javaScriptEnabled: false,
    storageState: await context.storageState(),
  })
  await later.page.goto('/login')
  assert.equal(await later.page.evaluate(GROUND), dark)
  await press(later.page, 'Light')
  assert.equal(new URL(later.page.url()).pathname, '/login')
  assert.equal(await later.page.evaluate(GROUND), light, 'the person, not the system, decides')
  await press(later.page, 'As the system')
  assert.equal(await later.page.evaluate(GROUND), dark)
})

test('a form that is sent again on a slow line is sent once, and again after its answer', async (t) => {
  const { page } = await openBrowser(t, { baseURL: await service(t) })
  const sent: string[] = []
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  await page.route('**/*', async (route) => {
    if (route.request().method() === 'POST') {
      sent.push(new URL(route.request().url()).pathname)
      await answered
    }
    await route.continue()
  })
  await page.goto('/signup')
  await fill(page, { ...PERSON, email: 'eve@example.com', password: 'password123' })
  const button = page.getByRole('button', { name: 'Make the account' })
  const { x, y } = (await button.boundingBox()) ?? assert.fail('There is no button.')
  const first = page.waitForRequest((request) => request.method() === 'POST')
  await page.mouse.click(x + 5, y + 5)
  await first
  await page.mouse.click(x + 5, y + 5)
  answer()
  await page.locator('#password-fault').waitFor()
  await fill(page, { password: PASSWORD })
  await button.click()
  await page.getByText('Your account is ready.').waitFor()
  assert.deepEqual(sent, ['/signup', '/signup'])
})

test('a moment is told in the reader’s zone, a recent one by how long it is past', async (t) => {
  const baseURL = await service(t)
  const { page } = await openBrowser(t, { baseURL, timezoneId: 'Asia/Tokyo' })
  await signIn(page)
  await page.goto('/sessions')
  const moment = page.locator('time').first()
  const time = new Date((await moment.getAttribute('datetime')) ?? '')
  const inTokyo = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'Asia/Tokyo',
  }).format(time)
  assert.equal(await moment.textContent(), 'just now')
  assert.equal(await moment.getAttribute('title'), inTokyo)
  for (const [minutes, text] of [
    [5, '5 minutes ago'],
    [61, '1 hour ago'],
    [26 * 60, 'yesterday'],
    [3 * 24 * 60 + 1, '3 days ago'],
    [8 * 24 * 60, inTokyo],
  ] as const) {
    await page.clock.setFixedTime(time.getTime() + (minutes * 60 + 1) * 1000)
    await page.reload()
    // The use just now may be noted anew, and the sign-in does not change.
    assert.equal(await page.locator('time').nth(1).textContent(), text)
  }
})

test('without a script one signs up, changes the account, ends a session, takes the data and goes', async (t) => {
  const baseURL = await service(t)
  const { page, errors } = await openBrowser(t, { baseURL, javaScriptEnabled: false })
  await page.goto('/signup')
  await fill(page, { ...PERSON, email: 'eve@example.com' })
  await press(page, 'Make the account')
  await page.getByText('Your account is ready. Welcome!').waitFor()

  await page.getByRole('link', { name: 'your account' }).click()
  await page.waitForURL('**/account')
  await fill(page, { fname: 'Eve' })
  await press(page, 'Save the name')
  await page.getByText('Your names were changed.').waitFor()
  await fill(page, { email: 'eve.new@example.com', 'email-password': PASSWORD })
  await press(page, 'Change the address')
  await page.getByText('Your e-mail address was changed.').waitFor()
  await fill(page, { current_password: PASSWORD, password: 'clouds over the weir' })
  await press(page, 'Change the password')
  await page.getByText('Your password was changed.').waitFor()

  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download all my data' }).click()
  const file = await download
  assert.match(file.suggestedFilename(), /^todo-app-[\d-]+\.json$/)
  const { account } = JSON.parse(await readFile(await file.path(), 'utf8'))
  assert.deepEqual([account.fname, account.email], ['Eve', 'eve.new@example.com'])

  const other = await openBrowser(t, { baseURL, javaScriptEnabled: false })
  await other.page.goto('/login')
  const credentials = { username: 'eve.new@example.com', password: 'clouds over the weir' }
  await fill(other.page, credentials)
  await press(other.page, 'Sign in')
  await page.goto('/sessions')
  assert.match((await page.locator('time').first().textContent()) ?? '', /\d{4} at \d\d:\d\d UTC$/)
  await press(page, 'End all others')
  await page.getByText('You are signed in nowhere else.').waitFor()
  await other.page.goto('/account')
  assert.equal(new URL(other.page.url()).pathname, '/login')

  await page.goto('/account')
  await page.getByRole('link', { name: 'Delete the account…' }).click()
  await page.waitForURL('**/account/delete')
  await fill(page, { password: 'clouds over the weir' })
  await press(page, 'Delete my account')
  await page.getByText('Your account and everything in it were deleted.').waitFor()
  await fill(page, credentials)
  await press(page, 'Sign in')
  await page.getByText('Incorrect email or password').waitFor()
  assert.deepEqual(unexpected(errors), [])
})
