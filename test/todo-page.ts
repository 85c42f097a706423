// A person in front of the todo page, for the browser tests.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { Tokens } from '../src/features/sessions/schema.ts'
import { Todo } from '../src/features/todos/schema.ts'
import { openBrowser, type Visit } from './browser.ts'

export const PASSWORD = 'rain on tin roofs'

/**
 * What a proxy answers while the server is away, and for so long that the page does not try again by itself
 * before the test has pressed Retry.
 */
export const AWAY = { status: 503, headers: { 'retry-after': '3600' }, body: '' }

export interface Visitor extends Visit {
  /** Calls the API as the same person elsewhere, by a token. */
  readonly elsewhere: (method: string, path: string, body?: unknown) => Promise<Response>
  /** Signs the same person in on another page. */
  readonly signIn: (page: Page) => Promise<void>
  /** The texts of the list, from top to bottom, as they are seen. */
  readonly texts: () => Promise<string[]>
  /** The todos that the server has, the newest first. */
  readonly saved: () => Promise<Todo[]>
}

interface VisitOptions extends BrowserContextOptions {
  /** What to do, the newest last. A text that begins with `✓ ` is done. */
  readonly todos?: readonly string[]
}

/** Signs a person in on a page of a browser whose session is somebody else's, or has ended. */
export async function signInInstead(
  page: Page,
  { signIn }: Pick<Visitor, 'signIn'>,
): Promise<void> {
  await page.context().clearCookies({ name: 'session' })
  await page.goto('/login')
  await signIn(page)
}

/** Signs a new person up at `url`, with todos, and opens their todo page. */
export async function visitHome(
  t: TestContext,
  url: string,
  { todos = [], ...options }: VisitOptions = {},
): Promise<Visitor> {
  const email = `${randomUUID()}@example.com`
  const send = (path: string, init: RequestInit) => fetch(`${url}${path}`, init)
  const json = { 'content-type': 'application/json' }
  const account = { email, password: PASSWORD, fname: 'Ann', lname: 'Archer' }
  const signedUp = await send('/api/v1/users/signup', {
    method: 'POST',
    headers: json,
    body: JSON.stringify(account),
  })
  assert.equal(signedUp.status, 201)
  const { access_token } = Value.Parse(
    Tokens,
    await (
      await send('/auth/token', {
        method: 'POST',
        body: new URLSearchParams({ username: email, password: PASSWORD }),
      })
    ).json(),
  )
  const elsewhere = (method: string, path: string, body?: unknown) =>
    send(`/api/v1/todos${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : json),
        authorization: `Bearer ${access_token}`,
      },
    })
  for (const each of todos) {
    const text = each.replace(/^✓ /, '')
    await elsewhere('POST', '', { text, completed: each !== text })
  }
  const visit = await openBrowser(t, { baseURL: url, ...options })
  const { page } = visit
  const signIn = async (page: Page) => {
    await page.getByLabel('E-mail address').fill(email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL('**/home')
  }
  await page.goto('/login')
  await signIn(page)
  // Once more, without the greeting.
  await page.reload()
  return {
    ...visit,
    elsewhere,
    signIn,
    texts: () => page.locator('.todo:visible .todo-text:visible').allTextContents(),
    saved: async () =>
      Value.Parse(Type.Array(Todo), await (await elsewhere('GET', '?sort=-id&limit=100')).json()),
  }
}

/** Waits until `probe` gives what is expected, and fails with what it gave when it does not. */
export async function eventually<Value>(
  probe: () => Promise<Value>,
  expected: Value,
): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const value = await probe()
    try {
      assert.deepEqual(value, expected)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
