import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startServer } from '../server.ts'
import { isPostgresql, PASSWORD } from '../world.ts'

const isInstalled = spawnSync('sqlmap', ['--version']).status === 0
const skip = isInstalled ? false : 'sqlmap is not installed'
/** For one request, in seconds; what it can try, it tries in about half of that. */
const PATIENCE = 200

const account = { email: 'eve@example.com', password: PASSWORD, fname: 'Eve', lname: 'Evans' }
const JSON_TYPE = 'Content-Type: application/json'

interface Target {
  readonly what: string
  readonly path: string
  readonly args?: readonly string[]
  readonly headers?: readonly string[]
  /** What the service must have answered, else nothing got as far as a query. */
  readonly statuses: readonly number[]
}

/** What is attacked: a `*` marks where, otherwise every field. */
const targets: readonly Target[] = [
  {
    what: 'the query of the list',
    path: '/api/v1/todos?q=a&sort=id&limit=5&completed=true',
    statuses: [200, 422],
  },
  { what: 'the cursor', path: '/api/v1/todos?sort=text&cursor=CURSOR*', statuses: [422] },
  { what: 'an id in the path', path: '/api/v1/todos/1*', statuses: [200, 422] },
  {
    what: 'the text of a todo',
    path: '/api/v1/todos/1',
    args: ['--method=PATCH', '--data={"text":"a*"}'],
    headers: [JSON_TYPE],
    statuses: [200],
  },
  {
    what: 'the sign-in form',
    path: '/auth/token',
    args: ['--data=username=eve@example.com&password=x&grant_type=password'],
    statuses: [401, 422],
  },
  {
    what: 'signing up',
    path: '/api/v1/users/signup',
    args: [`--data=${JSON.stringify(account)}`],
    headers: [JSON_TYPE],
    statuses: [409, 422],
  },
  { what: 'the todo page', path: '/home?q=a&show=open&page=1&edit=1', statuses: [200] },
  {
    what: 'the conditions',
    path: '/api/v1/todos/1',
    headers: ['If-None-Match: "1.1"*'],
    statuses: [200],
  },
]

test('sqlmap finds no injection', {
  skip,
  timeout: targets.length * PATIENCE * 1000,
}, async (t) => {
  const { url, output: log } = await startServer(t, {
    SIGN_IN_FAILURES: '1000',
    LOG_FORMAT: 'json',
  })
  const post = (path: string, body: string, headers: Record<string, string>) =>
    fetch(new URL(path, url), { method: 'POST', body, headers })
  const json = { 'content-type': 'application/json' }
  await post('/api/v1/users/signup', JSON.stringify(account), json)
  const form = new URLSearchParams({ username: account.email, password: PASSWORD }).toString()
  const signedIn = await post('/auth/token', form, {
    'content-type': 'application/x-www-form-urlencoded',
  })
  const [, token] = /"access_token":"([^"]+)"/.exec(await signedIn.text()) ?? []
  assert.ok(token)
  await post('/api/v1/todos', '{"text":"a todo"}', { ...json, authorization: `Bearer ${token}` })
  const output = await mkdtemp(join(tmpdir(), 'todo-app-sqlmap-'))
  t.after(() => rm(output, { recursive: true, force: true }))

  for (const { what, path, args = [], headers = [], statuses } of targets) {
    await t.test(what, async (t) => {
      const before = log().length
      const { stdout } = await promisify(execFile)(
        'sqlmap',
        [
          `--url=${url}${path}`,
          ...args,
          `--headers=${[`Authorization: Bearer ${token}`, ...headers].join('\\n')}`,
          `--dbms=${isPostgresql ? 'PostgreSQL' : 'SQLite'}`,
          '--batch',
          '--flush-session',
          '--level=2',
          '--risk=2',
          '--time-sec=2',
          '--ignore-code=400,401,404,409,412,422,429',
          `--output-dir=${output}`,
          '--disable-coloring',
        ],
        { timeout: PATIENCE * 1000, maxBuffer: 32 * 2 ** 20 },
      )
      assert.doesNotMatch(stdout, /identified the following injection point|is vulnerable/)
      assert.match(stdout, /do not appear to be injectable/, stdout.slice(-800))
      const answers = [
        ...log()
          .slice(before)
          .matchAll(/"status":(\d{3})/g),
      ]
      const count = (status: number) => answers.filter(([, each]) => Number(each) === status).length
      for (const status of statuses) assert.ok(count(status) > 0, `never answered ${status}`)
      t.diagnostic(`${answers.length} requests`)
    })
  }
})
