import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { documentOf } from './answers.ts'
import { type AnyRequest, requestsFor } from './requests.ts'
import { clientOf, type World, world } from './world.ts'

/** Requests to each operation; `npm run test:hard` makes more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 100)
const timeout = Math.max(60_000, RUNS * 600)

const PROBLEM = 'application/problem+json'

/** Sends what was made up; the client fails unless the answer is one that the document declares. */
async function attempt(here: World, token: string | undefined, method: string, made: AnyRequest) {
  const search = made.query.map(([name, value]) => `${name}=${value}`).join('&')
  const answer = await clientOf(here.app, token).send(`${made.path}${search && `?${search}`}`, {
    method: method.toUpperCase() as 'GET',
    headers: made.headers,
    ...(made.body === undefined ? {} : { body: made.body }),
  })
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
  for (const status of [200, 201, 204, 400, 401, 403, 404, 412, 413, 415, 422]) {
    if (status !== 413 && status !== 412)
      assert.ok(statuses.has(status), `no ${status} among the answers`)
  }
})
