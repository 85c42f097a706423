import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { copyOf, startServer } from './server.ts'
import { signedInVisitor, visitor } from './visitor.ts'
import { freshDatabase, isPostgresql, PASSWORD, type World, world } from './world.ts'

const BROWSER = 'text/html,application/xhtml+xml,*/*;q=0.8'
const CLIENT = 'application/json'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** One request that fails, as a browser sends it and as a client does. */
type Ask = (accept: string) => Promise<Answer>

/** Fails unless a browser gets the page for the failure, in the product's look, and a client the problem. */
async function assertBothKinds(status: number, ask: Ask): Promise<{ page: string }> {
  const page = await ask(BROWSER)
  assert.equal(page.status, status, page.body)
  assert.match(String(page.headers['content-type']), /^text\/html; charset=utf-8/)
  assert.match(String(page.headers.vary), /Accept/)
  assert.match(
    page.body,
    /^<!doctype html>[\s\S]*<link rel="stylesheet" href="\/assets\/[^"]+\.css">/,
  )
  assert.match(page.body, new RegExp(`<p class="error-status">${status}</p>\\s*<h1>[^<]+</h1>`))
  assert.match(page.body, /<a class="button[^"]*" href="\/home">/)
  assert.ok(page.body.includes(`Request ${page.headers['x-request-id']}`))
  assert.doesNotMatch(
    page.body,
    /node_modules|select |relation|no such table|ECONN|\n\s*at \S+ \(/i,
  )

  const problem = await ask(CLIENT)
  assert.equal(problem.status, status, problem.body)
  assert.equal(problem.headers['content-type'], 'application/problem+json')
  assert.equal(JSON.parse(problem.body).status, status)
  assert.equal(problem.headers['retry-after'] === undefined, status !== 429 && status !== 503)
  return { page: page.body }
}

/** Asks the app without a port. */
const asking =
  ({ app }: World, url: string, options: Record<string, unknown> = {}): Ask =>
  async (accept) => {
    const headers = { ...(options.headers ?? {}), accept }
    const answer = await app.inject({ url, ...options, headers })
    return { status: answer.statusCode, headers: answer.headers, body: answer.body }
  }

test('a form from another site is a page (403)', async (t) => {
  const here = await world(t)
  const headers = { ...FORM, 'sec-fetch-site': 'cross-site' }
  const { page } = await assertBothKinds(
    403,
    asking(here, '/login', { method: 'POST', headers, body: 'username=a&password=b' }),
  )
  assert.match(page, /This form was sent from another site\./)
})

test('nothing at a path is a page (404), and so is what was typed after it', async (t) => {
  const here = await world(t)
  const { page } = await assertBothKinds(404, asking(here, '/nothing?q=<img src=x onerror=y>'))
  assert.doesNotMatch(page, /<img src=x/)
})

test('the brand leads to where a person belongs, on the page of a failure too', async (t) => {
  const here = await world(t)
  for (const [browser, home] of [
    [visitor(here), '/login'],
    [await signedInVisitor(here), '/home'],
  ] as const) {
    for (const url of ['/nothing', home]) {
      const { body } = await browser.get(url)
      let answer = await browser.get(/class="brand" href="([^"]+)"/.exec(body)?.[1] ?? '')
      while (answer.statusCode === 302) answer = await browser.follow(answer)
      const [, title] = /<title>(.*?) · /.exec(answer.body) ?? []
      assert.equal(title, home === '/home' ? 'Todos' : 'Sign in', url)
    }
  }
})

test('an id that is none is a page (422)', async (t) => {
  const here = await world(t)
  const { cookies } = await signedInVisitor(here)
  const headers = {
    ...FORM,
    cookie: `session=${cookies.get('session')}`,
    'sec-fetch-site': 'same-origin',
  }
  for (const [path, body] of [
    ['/home/todos/none/complete', 'next=/home'],
    ['/home/todos/none', 'text=New&tag=%221.1%22&next=/home'],
  ] as const) {
    await assertBothKinds(422, asking(here, path, { method: 'POST', headers, body }))
  }
})

test('too many wrong passwords are the form for a browser, a problem for a client (429)', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1' })
  const options = { method: 'POST', headers: FORM, body: 'username=a%40example.com&password=b' }
  assert.equal((await asking(here, '/auth/token', options)(CLIENT)).status, 401)
  const page = await asking(here, '/login', options)(BROWSER)
  assert.equal(page.status, 429)
  assert.match(String(page.headers['retry-after']), /^[1-9]\d*$/)
  assert.match(page.body, /role="alert">[\s\S]*Too many failed attempts[\s\S]*<form/)
  const problem = await asking(here, '/auth/token', options)(CLIENT)
  assert.equal(problem.status, 429)
  assert.equal(problem.headers['content-type'], 'application/problem+json')
})

test('what went wrong inside is a page that says nothing of the inside (500)', async (t) => {
  const here = await world(t)
  const { cookies } = await signedInVisitor(here)
  // Reading an id fails by a number that is out of range, which none of our statements should meet.
  await sql`drop table todos`.execute(here.db)
  await sql`create view todos as
    select abs(-9223372036854775807 - 1) as id, id as owner_id, fname as text, fname as text_key,
      fname as sort_key, created_at as completed_at, version, created_at, updated_at
    from users`.execute(here.db)
  const headers = { cookie: `session=${cookies.get('session')}` }
  const { page } = await assertBothKinds(500, asking(here, '/home', { headers }))
  assert.match(page, /Something went wrong on our side/)
})

/** A database that can be taken away from under the service. */
async function losableDatabase(
  t: TestContext,
): Promise<{ url: string; lose: () => Promise<void> }> {
  if (isPostgresql) {
    const { url, drop } = await freshDatabase()
    t.after(drop)
    return { url, lose: drop }
  }
  const directory = await mkdtemp(join(tmpdir(), 'todo-app-'))
  const file = join(directory, 'todo.db')
  return {
    url: `sqlite:///${file}`,
    lose: async () => {
      // A file that another process holds for itself is as good as gone.
      const other = new DatabaseSync(file)
      other.exec('begin immediate')
      t.after(async () => {
        other.close()
        await rm(directory, { recursive: true, force: true })
      })
    },
  }
}

test('a database that went away under a running service is a page with another try (503)', async (t) => {
  const { url: DATABASE_URL, lose } = await losableDatabase(t)
  const { url } = await startServer(t, { DATABASE_URL })
  const request = (path: string, options: RequestInit) => async (accept: string) => {
    const headers = { ...options.headers, accept }
    const answer = await fetch(url + path, { redirect: 'manual', ...options, headers })
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text(),
    }
  }
  const form = { fname: 'A', lname: 'B', email: 'a@example.com', password: PASSWORD }
  const signup = { method: 'POST', headers: FORM, body: new URLSearchParams(form).toString() }
  const signedUp = await fetch(`${url}/signup`, { redirect: 'manual', ...signup })
  const cookie = signedUp.headers.getSetCookie().find((each) => each.startsWith('session=')) ?? ''
  assert.equal(signedUp.status, 302)

  await lose()
  const headers = { ...FORM, cookie, 'sec-fetch-site': 'same-origin' }
  if (isPostgresql) {
    const { page } = await assertBothKinds(503, request('/home', { headers: { cookie } }))
    assert.match(page, /<a class="button" href="\/home">Try again<\/a>/)
  }
  const add = { method: 'POST', headers, body: 'text=Lost&next=/home' }
  const { page } = await assertBothKinds(503, request('/home/todos', add))
  assert.match(page, /We are not ready right now[\s\S]*Please wait \d+ second/)
  assert.equal(
    (await request('/login', {})(BROWSER)).status,
    200,
    'what needs no database is there',
  )
})

test('a failure looks as the person chose, light or dark, and leads a stranger to nobody’s todos', async (t) => {
  const here = await world(t)
  const page = await visitor(here, { cookie: 'theme=dark' }).get('/nothing')
  assert.match(page.body, /<html lang="en" data-theme="dark">/)
  assert.doesNotMatch(page.body, /Sign out/)
})

test('where no pages were built, what fails is a problem for a browser too, and the API is served', async (t) => {
  const place = await copyOf(t, ['package.json', 'src'])
  const { url } = await startServer(t, {}, join(place, 'src/main.ts'))
  for (const [path, status] of [
    ['/login', 500],
    ['/nothing', 404],
  ] as const) {
    const answer = await fetch(url + path, { headers: { accept: BROWSER } })
    assert.equal(answer.headers.get('content-type'), 'application/problem+json', path)
    const body = await answer.text()
    assert.deepEqual([answer.status, JSON.parse(body).status], [status, status], path)
    assert.doesNotMatch(body, /npm run build/)
  }
  assert.equal((await fetch(`${url}/openapi.json`)).status, 200)
})
