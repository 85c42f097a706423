import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { tableNames } from '../src/db/tables.ts'
import * as sessions from '../src/features/sessions/store.ts'
import { add } from '../src/features/todos/add-store.ts'
import * as users from '../src/features/users/store.ts'
import { SESSION_COOKIE } from '../src/http/cookies.ts'
import { hash } from '../src/lib/passwords.ts'
import { digest, randomSecret } from '../src/lib/secrets.ts'
import { fromNow } from '../src/lib/time.ts'
import { forgedToken, goodToken } from './tokens.ts'
import { PASSWORD, type World, world } from './world.ts'

/**
 * Who may do what: every route, and the status that each caller gets. This table is the test; a
 * route that it lacks fails it. `login` leads to the sign-in form. What a path names is the owner's. `bad` is everyone whose
 * credentials are no good (any more), `cookie` the owner's browser on our own page, and `elsewhere`
 * the owner's browser on a page of another site.
 */
const TABLE = `
  route                                nobody owner stranger admin bad cookie elsewhere
  GET    /                             200    200   200      200   200 200    200
  GET    /health                       200    200   200      200   200 200    200
  GET    /ready                        200    200   200      200   200 200    200
  GET    /openapi.json                 200    200   200      200   200 200    200
  GET    /docs                         200    200   200      200   200 200    200
  GET    /docs/json                    200    200   200      200   200 200    200
  GET    /docs/yaml                    200    200   200      200   200 200    200
  GET    /docs/static/*                200    200   200      200   200 200    200
  GET    /docs/static/theme/viewport.js 200   200   200      200   200 200    200
  GET    /docs/static/index.html       302    302   302      302   302 302    302
  GET    /docs/static/swagger-initializer.js 200 200 200     200   200 200    200
  POST   /auth/token                   200    200   200      200   200 200    200
  POST   /auth/revoke                  200    200   200      200   200 200    200
  GET    /auth/me                      401    200   200      200   401 200    200
  PATCH  /auth/me                      401    200   200      200   401 200    403
  DELETE /auth/me                      401    204   204      204   401 204    403
  POST   /api/v1/auth/token            200    200   200      200   200 200    200
  POST   /api/v1/auth/revoke           200    200   200      200   200 200    200
  GET    /api/v1/auth/me               401    200   200      200   401 200    200
  PATCH  /api/v1/auth/me               401    200   200      200   401 200    403
  DELETE /api/v1/auth/me               401    204   204      204   401 204    403
  GET    /api/v1/users                 401    403   403      200   401 403    403
  POST   /api/v1/users/signup          201    201   201      201   201 201    201
  GET    /api/v1/users/:id             401    200   404      200   401 200    200
  GET    /api/v1/todos                 401    200   200      200   401 200    200
  GET    /api/v1/todos?user_id=:id     401    200   403      200   401 200    200
  POST   /api/v1/todos                 401    201   201      201   401 201    403
  GET    /api/v1/todos/:id             401    200   404      404   401 200    200
  PUT    /api/v1/todos/:id             401    200   404      404   401 200    403
  PATCH  /api/v1/todos/:id             401    200   404      404   401 200    403
  DELETE /api/v1/todos/:id             401    204   404      404   401 204    403
  GET    /api/v1/auth/me/export        401    200   200      200   401 200    200
  GET    /assets/*                     404    404   404      404   404 404    404
  POST   /theme                        302    302   302      302   302 302    403
  GET    /login                        200    200   200      200   200 200    200
  POST   /login                        302    302   302      302   302 302    403
  GET    /signup                       200    200   200      200   200 200    200
  POST   /signup                       302    302   302      302   302 302    403
  GET    /logout                       302    302   302      302   302 302    200
  POST   /logout                       302    302   302      302   302 302    403
  GET    /sessions                     login  200   200      200   login 200  200
  POST   /sessions/:id/end             login  302   404      404   login 302  403
  POST   /sessions/end-others          login  302   302      302   login 302  403
  GET    /account                      login  200   200      200   login 200  200
  POST   /account/names                login  302   302      302   login 302  403
  POST   /account/email                login  302   302      302   login 302  403
  POST   /account/password             login  302   302      302   login 302  403
  GET    /account/delete               login  200   200      200   login 200  200
  POST   /account/delete               login  302   302      302   login 302  403
  GET    /account/export               login  200   200      200   login 200  200
  GET    /home                         login  200   200      200   login 200  200
  POST   /home/todos                   login  302   302      302   login 302  403
  POST   /home/todos/:id               login  302   404      404   login 302  403
  POST   /home/todos/:id/complete      login  302   404      404   login 302  403
  POST   /home/todos/:id/reopen        login  302   404      404   login 302  403
  POST   /home/todos/:id/delete        login  302   404      404   login 302  403
`

type Headers = Record<string, string>

interface Member {
  readonly id: number
  readonly email: string
  readonly sessionId: number
  readonly cookie: string
}

/** The people of one request, made anew for each, since a request may erase them. */
interface Cast {
  readonly owner: Member
  readonly stranger: Member
  readonly admin: Member
  readonly todoId: number
}

const passwordHash = hash(PASSWORD)
let members = 0

async function member({ db }: World, { is_admin = false, lifetime = 600 } = {}): Promise<Member> {
  const email = `member${++members}@example.com`
  const password_hash = await passwordHash
  const user = await users.create(db, { email, password_hash, fname: 'F', lname: 'L', is_admin })
  assert.ok(user)
  const secret = randomSecret()
  const { id: sessionId } = await sessions.create(db, {
    user_id: user.id,
    expires_at: fromNow(lifetime),
    cookie_digest: digest(secret),
    user_agent: null,
    address: null,
  })
  return { id: user.id, email, sessionId, cookie: `${SESSION_COOKIE}=${secret}` }
}

async function cast(here: World): Promise<Cast> {
  const owner = await member(here)
  const stranger = await member(here)
  const admin = await member(here, { is_admin: true })
  const { id: todoId } = await add(here.db, owner.id, { text: 'Theirs' })
  return { owner, stranger, admin, todoId }
}

type Credentials = (here: World, cast: Cast) => Headers | Promise<Headers>

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const good =
  (who: 'owner' | 'stranger' | 'admin'): Credentials =>
  ({ config }, people) =>
    bearer(goodToken(config.secretKey, people[who]))

const CALLERS: Readonly<Record<string, Readonly<Record<string, Credentials>>>> = {
  nobody: { nobody: () => ({}) },
  owner: { owner: good('owner') },
  stranger: { stranger: good('stranger') },
  admin: { administrator: good('admin') },
  bad: {
    'an expired token': ({ config }, { owner }) =>
      bearer(goodToken(config.secretKey, owner, { lifetime: -1 })),
    'a revoked token': async (here) => {
      const left = await member(here)
      const token = goodToken(here.config.secretKey, left)
      await here.nobody.form('/auth/revoke', { token })
      return bearer(token)
    },
    'the token of an erased account': async (here) => {
      const gone = await member(here)
      await users.remove(here.db, gone.id)
      return bearer(goodToken(here.config.secretKey, gone))
    },
    'the token of an ended session': async (here) =>
      bearer(goodToken(here.config.secretKey, await member(here, { lifetime: -1 }))),
    'the cookie of an ended session': async (here) => {
      const { cookie } = await member(here, { lifetime: -1 })
      return { cookie, 'sec-fetch-site': 'same-origin' }
    },
    'a token without a signature': (_here, { owner }) =>
      bearer(forgedToken({ alg: 'none' }, owner, '')),
    'a token signed with another key': (_here, { owner }) =>
      bearer(goodToken('some other key that is long enough', owner)),
    'a token signed with an empty key': (_here, { owner }) => bearer(goodToken('', owner)),
  },
  cookie: {
    'the cookie on our page': (_here, { owner }) => ({
      cookie: owner.cookie,
      'sec-fetch-site': 'same-origin',
    }),
  },
  elsewhere: {
    'the cookie on another site': (_here, { owner }) => ({
      cookie: owner.cookie,
      'sec-fetch-site': 'cross-site',
      origin: 'https://evil.example.org',
    }),
    'the cookie on a neighbouring site': (_here, { owner }) => ({
      cookie: owner.cookie,
      'sec-fetch-site': 'same-site',
    }),
    'the cookie on another origin, in an old browser': (_here, { owner }) => ({
      cookie: owner.cookie,
      origin: 'https://evil.example.org',
    }),
  },
}

const json = (body: unknown): InjectOptions => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const form = (fields: Record<string, string>): InjectOptions => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
})
const signIn = ({ owner }: Cast) => form({ username: owner.email, password: PASSWORD })

/** What to send where a route takes a body. */
const BODIES: Readonly<Record<string, (cast: Cast) => InjectOptions>> = {
  'POST /auth/token': signIn,
  'POST /api/v1/auth/token': signIn,
  'POST /auth/revoke': () => form({ token: 'unknown' }),
  'POST /api/v1/auth/revoke': () => form({ token: 'unknown' }),
  'PATCH /auth/me': () => json({ fname: 'New' }),
  'PATCH /api/v1/auth/me': () => json({ fname: 'New' }),
  'DELETE /auth/me': () => json({ password: PASSWORD }),
  'DELETE /api/v1/auth/me': () => json({ password: PASSWORD }),
  'POST /api/v1/users/signup': () =>
    json({ email: `new${++members}@example.com`, password: PASSWORD, fname: 'N', lname: 'E' }),
  'POST /api/v1/todos': () => json({ text: 'New' }),
  'PUT /api/v1/todos/:id': () => json({ text: 'New' }),
  'PATCH /api/v1/todos/:id': () => json({ text: 'New' }),
  'POST /theme': () => form({ theme: 'dark', next: '/login' }),
  'POST /login': signIn,
  'POST /signup': () =>
    form({ email: `new${++members}@example.com`, password: PASSWORD, fname: 'N', lname: 'E' }),
  'POST /account/names': () => form({ fname: 'New', lname: 'Name' }),
  'POST /account/email': () =>
    form({ email: `new${++members}@example.com`, current_password: PASSWORD }),
  'POST /account/password': () => form({ current_password: PASSWORD, password: 'fog on the fen' }),
  'POST /account/delete': () => form({ password: PASSWORD }),
  'POST /home/todos': () => form({ text: 'New', next: '/home' }),
  'POST /home/todos/:id': () => form({ text: 'New', tag: '"1.1"', next: '/home' }),
  'POST /home/todos/:id/complete': () => form({ next: '/home' }),
  'POST /home/todos/:id/reopen': () => form({ next: '/home' }),
  'POST /home/todos/:id/delete': () => form({ next: '/home' }),
}

function rows() {
  const [header = [], ...lines] = TABLE.trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const columns = header.slice(1)
  assert.deepEqual(columns, Object.keys(CALLERS))
  return lines.map(([method = '', path = '', ...statuses]) => ({
    method,
    path,
    expected: columns.map((column, index) => ({ column, status: statuses[index] })),
  }))
}

const idIn = (path: string, { owner, todoId }: Cast): number => {
  if (path.includes('/todos/')) return todoId
  return path.startsWith('/sessions/') ? owner.sessionId : owner.id
}

const urlOf = (path: string, people: Cast) =>
  path.replace(':id', String(idIn(path, people))).replace('*', 'swagger-ui.css')

const contents = async ({ db }: World) =>
  Promise.all(tableNames.map((table) => db.selectFrom(table).selectAll().execute()))

const whole = rows()

test('every route is in the table of who may do what, and nothing else is', async (t) => {
  const { app } = await world(t)
  const mounted = [...app.routeTable].flatMap(([path, methods]) =>
    [...methods].filter((method) => method !== 'HEAD').map((method) => `${method} ${path}`),
  )
  const listed = whole.map(({ method, path }) => `${method} ${path.split('?', 1)[0]}`)
  assert.deepEqual(
    [...new Set(listed)].sort(),
    mounted.sort(),
    'add a line for the new route to the table in test/routes-access.test.ts',
  )
})

for (const { method, path, expected } of whole) {
  test(`${method} ${path} answers each caller as the table says`, async (t) => {
    const here = await world(t)
    // HEAD signs nobody out, so `/logout` answers it in another way than GET.
    const isReading = method === 'GET' && path !== '/logout'
    const methods = isReading ? (['GET', 'HEAD'] as const) : [method as 'POST']
    for (const { column, status } of expected) {
      for (const [caller, credentials] of Object.entries(CALLERS[column] ?? {})) {
        for (const each of methods) {
          const people = await cast(here)
          const headers = await credentials(here, people)
          const before = await contents(here)
          const request = BODIES[`${method} ${path}`]?.(people) ?? {}
          const answer = await here.nobody.send(urlOf(path, people), {
            ...request,
            method: each,
            headers: { ...request.headers, ...headers },
          })
          const isLedAway = /^\/login\?next=/.test(String(answer.headers.location))
          const answered = isLedAway ? 'login' : String(answer.statusCode)
          assert.equal(answered, status, `${each} ${path} by ${caller}`)
          if (answered === '401') assert.equal(answer.headers['www-authenticate'], 'Bearer')
          const isRefused = isLedAway || answer.statusCode >= 400
          if (isRefused || isReading) {
            assert.deepEqual(await contents(here), before, `${caller} changed nothing`)
          }
        }
      }
    }
  })
}
