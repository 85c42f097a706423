import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signedInVisitor } from './visitor.ts'
import { PASSWORD, world } from './world.ts'

interface Form {
  readonly action: string
  readonly hidden: Readonly<Record<string, string>>
}

/** Where a form of anyone goes: neither is about an account. */
const OF_ANYONE = new Set(['/logout', '/theme'])

/** The forms of a page by which a signed-in person changes something. */
function formsOf(page: string): Form[] {
  return [...page.matchAll(/<form [^>]*method="post" action="([^"]+)"[^>]*>(.*?)<\/form>/gs)]
    .map(([, action = '', content = '']) => ({
      action,
      hidden: Object.fromEntries(
        [...content.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(
          ([, name = '', value = '']) => [name, value],
        ),
      ),
    }))
    .filter(({ action }) => !OF_ANYONE.has(action))
}

/** What a person types, by the form's address. */
const TYPED: Readonly<Record<string, Record<string, string>>> = {
  '/account/names': { fname: 'Typed', lname: 'By Ann' },
  '/account/email': { email: 'typed@example.com', current_password: PASSWORD },
  '/account/password': { current_password: PASSWORD, password: PASSWORD },
  '/account/delete': { password: PASSWORD },
  '/home/todos': { text: 'Typed by Ann' },
}

test('a form that was drawn for somebody else does nothing to who is signed in now (409), and says so', async (t) => {
  const here = await world(t)
  const { id } = (await here.ann.post('/api/v1/todos', { text: 'Ann’s' })).json()
  await here.bob.post('/api/v1/todos', { text: 'Bob’s' })
  const browser = await signedInVisitor(here)
  await signedInVisitor(here)
  const forms: Form[] = []
  for (const url of ['/account', '/account/delete', '/sessions', '/home', `/home?edit=${id}`]) {
    const found = formsOf((await browser.get(url)).body)
    assert.ok(found.length > 0, url)
    forms.push(...found)
  }
  for (const action of [...Object.keys(TYPED), '/sessions/end-others', `/home/todos/${id}`]) {
    assert.ok(
      forms.some((form) => form.action === action),
      action,
    )
  }

  await browser.submit('/login', { username: here.bob.email, password: PASSWORD })
  const stateOfBob = async () => [
    (await here.bob.get('/auth/me')).json(),
    (await here.bob.get('/api/v1/todos')).json(),
    (await here.bob.get('/api/v1/auth/me/export')).json().sessions.length,
  ]
  const before = await stateOfBob()
  for (const { action, hidden } of forms) {
    const answer = await browser.submit(action, { ...hidden, ...TYPED[action] })
    assert.equal(answer.statusCode, 409, action)
    assert.match(answer.body, /Somebody else has signed in/)
    assert.match(answer.body, /<a class="button" href="\/home">/)
  }
  assert.deepEqual(await stateOfBob(), before)
})

test('a form does what it is for when the one it was drawn for sends it', async (t) => {
  const here = await world(t)
  const browser = await signedInVisitor(here)
  await signedInVisitor(here)
  for (const url of ['/home', '/sessions', '/account', '/account/delete']) {
    const forms = formsOf((await browser.get(url)).body).filter(
      ({ action }) => action in TYPED || action === '/sessions/end-others',
    )
    assert.ok(forms.length > 0, url)
    for (const { action, hidden } of forms) {
      const answer = await browser.submit(action, { ...hidden, ...TYPED[action] })
      assert.equal(answer.statusCode, 302, action)
    }
  }
  assert.equal((await browser.get('/home')).headers.location, '/login?next=%2Fhome')
})
