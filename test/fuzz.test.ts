import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { documentOf, operationFor } from './answers.ts'
import { type AnyRequest, pageRequests, requestsFor } from './requests.ts'
import { clientOf, type World, world } from './world.ts'

/** Requests to each operation; `npm run test:hard` makes more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 100)
const timeout = Math.max(180_000, RUNS * 600)

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const PROBLEM = 'application/problem+json'

/** Sends what was made up; the client fails unless the answer is one that the document declares. */
async function send(here: World, token: string | undefined, method: string, made: AnyRequest) {
  const search = made.query.map(([name, value]) => `${name}=${value}`).join('&')
  return clientOf(here.app, token).send(`${made.path}${search && `?${search}`}`, {
    method: method.toUpperCase() as 'GET',
    headers: made.headers,
    ...(made.body === undefined || SAFE.has(method.toUpperCase()) ? {} : { body: made.body }),
  })
}

async function attempt(here: World, token: string | undefined, method: string, made: AnyRequest) {
  const answer = await send(here, token, method, made)
  assert.ok(answer.statusCode < 500, answer.body)
  if (answer.statusCode >= 400) assert.equal(answer.headers['content-type'], PROBLEM)
  return answer
}

async function fuzz(t: TestContext, variables: Record<string, string> = {}) {
  const here = await world(t, { SIGN_IN_FAILURES: '1000', ...variables })
  const admin = await here.person('root', { is_admin: true })
  await here.ann.post('/api/v1/todos', { text: 'There' })
  const tokens = fc.constantFrom(here.ann.token, here.ann.token, admin.token, undefined)
  const document = await documentOf(here.app)
  const statuses = new Set<number>()
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      await t.test(`${method.toUpperCase()} ${path}`, async () => {
        await fc.assert(
          fc.asyncProperty(tokens, requestsFor(document, path, operation), async (token, made) => {
            statuses.add((await attempt(here, token, method, made)).statusCode)
          }),
          { numRuns: RUNS },
        )
      })
    }
  }
  return statuses
}

test('whatever comes at a documented route, the answer is declared and never a failure', {
  timeout,
}, async (t) => {
  const statuses = await fuzz(t)
  // Otherwise the requests would all have been stopped at the door.
  for (const status of [200, 201, 204, 400, 401, 403, 404, 415, 422]) {
    assert.ok(statuses.has(status), `no ${status} among the answers`)
  }
})

test('whatever comes at a page, the answer is a page or problem details, and never a failure', {
  timeout,
}, async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1000' })
  const { ann, app } = here
  await ann.post('/api/v1/todos', { text: 'There' })
  const document = await documentOf(app)
  const pages = [...app.routeTable].flatMap(([path, methods]) =>
    [...methods]
      .filter((method) => !operationFor(document, method, path.replace(':id', '1')))
      .map((method) => ({ path, method })),
  )
  for (const { path, method } of pages) {
    await t.test(`${method} ${path}`, async () => {
      const callers = fc.constantFrom(ann.token, undefined)
      await fc.assert(
        fc.asyncProperty(callers, pageRequests(path), async (token, made) => {
          const answer = await send(here, token, method, made)
          assert.ok(answer.statusCode < 500, answer.body)
          if (answer.statusCode < 400) return
          const type = String(answer.headers['content-type'])
          assert.ok(type === PROBLEM || type === 'text/html; charset=utf-8', type)
        }),
        { numRuns: RUNS },
      )
    })
  }
})
