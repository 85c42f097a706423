import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { openBrowser } from '../browser.ts'
import { startServer } from '../server.ts'
import { PASSWORD } from '../world.ts'

/** Each calls `pwned` where it is taken for markup, and leaves an element with `data-xss`. */
const PAYLOADS = [
  '<script data-xss>pwned()</script>',
  '"><img data-xss src=x onerror=pwned()>',
  "'><svg data-xss onload=pwned()>",
  '</textarea></title></style></script><img data-xss src=x onerror=pwned()>',
  '" autofocus onfocus=pwned() data-xss x="',
  "' autofocus onfocus=pwned() data-xss x='",
  '--><img data-xss src=x onerror=pwned()><!--',
  '</template><img data-xss src=x onerror=pwned()>',
  '<img/data-xss/src=x/onerror=pwned()>',
  '&lt;img data-xss src=x onerror=pwned()&gt;',
  '\u003cimg data-xss src=x onerror=pwned()\u003e',
] as const

const LINKS = [
  'javascript:pwned()',
  ' javascript:pwned()',
  'JaVaScRiPt:pwned()',
  'data:text/html,<script>',
]

/** Counts what got through in any page of the context. */
async function watch(context: BrowserContext): Promise<() => string[]> {
  const through: string[] = []
  await context.exposeBinding('pwned', ({ page }) => void through.push(page.url()))
  context.on('dialog', (dialog) => {
    through.push(dialog.message())
    void dialog.dismiss()
  })
  return () => through
}

// Scripts for the page are text, since its globals are not those of the tests.
const TWO_FRAMES = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`
const FIND = `({
  elements: document.querySelectorAll('[data-xss]').length,
  links: [...document.querySelectorAll('[href], [action], [src], [formaction]')]
    .flatMap((element) => ['href', 'action', 'src', 'formaction'].map((name) => element.getAttribute(name)))
    .filter((value) => /^\\s*(javascript|vbscript|data(?!:image)):/i.test(value)),
})`

async function assertClean(page: Page, through: () => string[], what: string): Promise<void> {
  // Whatever was to fire on load, error or focus has had its turn when two frames were painted.
  await page.evaluate(TWO_FRAMES)
  assert.deepEqual(await page.evaluate(FIND), { elements: 0, links: [] }, what)
  assert.deepEqual(through(), [], what)
}

/** Fills a form past what its fields would refuse, and sends it. */
async function submit(page: Page, fields: Record<string, string>): Promise<void> {
  await page.evaluate(`{
    const form = document.querySelector('form.form')
    form.noValidate = true
    for (const [name, value] of Object.entries(${JSON.stringify(fields)})) {
      const field = form.elements[name]
      if (field.type !== 'hidden') field.type = 'text'
      field.removeAttribute('maxlength')
      field.value = value
    }
  }`)
  await page.locator('form.form button').last().click()
  await page.waitForLoadState()
}

for (const bypassCSP of [false, true]) {
  const guard = bypassCSP ? 'with the content security policy off' : 'with the policy on'
  test(`nothing that anybody wrote runs on any page, ${guard}`, async (t) => {
    const { url } = await startServer(t, { SIGN_IN_FAILURES: '1000' })
    const { page, context } = await openBrowser(t, { baseURL: url, bypassCSP })
    const through = await watch(context)

    if (bypassCSP) {
      for (const payload of PAYLOADS.slice(0, 3)) {
        await page.setContent(`<body><p title='"'></p>${payload}</body>`)
        await page.locator('[data-xss]').first().waitFor({ state: 'attached' })
      }
      assert.ok(through().length > 0, 'the payloads do run where they are let')
      through().length = 0
    }

    const [first = ''] = PAYLOADS
    const account = { email: 'eve@example.com', password: PASSWORD, fname: first, lname: first }
    const signUp = await page.request.post('/api/v1/users/signup', { data: account })
    assert.equal(signUp.status(), 201)
    const visit = async (path: string) => {
      await page.goto(path)
      await assertClean(page, through, path)
    }

    const all = PAYLOADS.join(' ')
    for (const text of [all, ...LINKS]) {
      const part = encodeURIComponent(text)
      await visit(`/login?next=${part}`)
      await visit(`/signup?next=/${part}`)
      await visit(`/nowhere/${part}?x=${part}`)
    }
    for (const payload of [all, ...PAYLOADS.slice(1, 4)]) {
      await page.goto('/login')
      await submit(page, { username: payload, password: 'wrong', next: payload })
      await assertClean(page, through, `login ${payload}`)
      await page.goto('/signup')
      const names = { fname: payload, lname: payload, email: payload }
      await submit(page, { ...names, next: payload, password: 'short' })
      await assertClean(page, through, `signup ${payload}`)
    }

    await page.goto('/login')
    await submit(page, { username: account.email, password: PASSWORD })
    await page.waitForURL('**/home')
    const headers = { 'sec-fetch-site': 'same-origin' }
    for (const text of PAYLOADS) {
      const added = await page.request.post('/api/v1/todos', { data: { text }, headers })
      assert.equal(added.status(), 201)
    }
    await visit('/home')
    const shown = await page.locator('main').textContent()
    for (const payload of PAYLOADS) assert.ok(shown?.includes(payload), 'it is there, as text')
    for (const [index, payload] of PAYLOADS.entries()) {
      const part = encodeURIComponent(payload)
      await visit(`/home?edit=${index + 1}&q=${part}`)
    }
    for (const name of PAYLOADS.slice(0, 4)) {
      const data = { fname: name, lname: name }
      assert.equal((await page.request.patch('/auth/me', { data, headers })).status(), 200)
      await visit('/home')
      await visit('/account')
    }
    const part = encodeURIComponent(all)
    await visit(`/home?show=${part}&page=${part}&edit=${part}&q=${part.slice(0, 60)}`)
    await page.goto('/home')
    await page.locator('#new-text').fill(all)
    await page.locator('#new-text').press('Enter')
    // As long as it is being saved, the page asks whether it may be left.
    await page.locator('.todo:not([data-saving])', { hasText: all.slice(0, 100) }).waitFor()
    await assertClean(page, through, 'added on the page')
    for (const path of [
      '/api/v1/todos?limit=100',
      '/auth/me',
      '/api/v1/todos?sort=<script>pwned()</script>',
      '/docs',
    ]) {
      await visit(path)
    }
  })
}
