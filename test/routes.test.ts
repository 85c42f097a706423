import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { documentOf, operationFor } from './answers.ts'
import { type Client, world } from './world.ts'

/** What anyone may call. A route that is not here must ask who is calling. */
const PUBLIC = new Set([
  'GET /',
  'GET /health',
  'GET /ready',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/json',
  'GET /docs/yaml',
  'GET /docs/static/*',
  'GET /docs/static/index.html',
  'GET /docs/static/swagger-initializer.js',
  'POST /auth/token',
  'POST /auth/revoke',
  'POST /api/v1/auth/token',
  'POST /api/v1/auth/revoke',
  'POST /api/v1/users/signup',
])

/** What is not part of the documented API. */
const UNDOCUMENTED = /^\/(docs|openapi\.json)/

async function routes(t: Parameters<typeof world>[0]) {
  const here = await world(t)
  const all = [...here.app.routeTable].flatMap(([path, methods]) =>
    [...methods].filter((method) => method !== 'HEAD').map((method) => ({ path, method })),
  )
  assert.ok(all.length > 20, 'the routes were collected')
  return { ...here, all, document: await documentOf(here.app) }
}

const Examples = Type.Object({
  required: Type.Optional(Type.Array(Type.String())),
  properties: Type.Record(
    Type.String(),
    Type.Object({ examples: Type.Optional(Type.Array(Type.Unknown())) }),
  ),
})

/** A body that the operation takes, made of the examples in its schema. */
function exampleBody(
  document: Awaited<ReturnType<typeof documentOf>>,
  method: string,
  path: string,
): unknown {
  const content = operationFor(document, method, path)?.operation.requestBody?.content
  const media = content && Object.values(content)[0]
  if (!media) return undefined
  const reference = Value.Parse(Type.Object({ $ref: Type.String() }), media.schema)
  const name = reference.$ref.split('/').at(-1) ?? ''
  const { required = [], properties } = Value.Parse(Examples, document.components.schemas[name])
  return Object.fromEntries(required.map((field) => [field, properties[field]?.examples?.[0]]))
}

const send = (client: Client, method: string, url: string, body: unknown) =>
  client.send(url, {
    method: method as 'GET',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })

test('every route that is not public refuses a request of nobody (401)', async (t) => {
  const { all, nobody } = await routes(t)
  for (const { path, method } of all) {
    if (PUBLIC.has(`${method} ${path}`)) continue
    const answer = await send(nobody, method, path.replace(':id', '1'), undefined)
    assert.equal(answer.statusCode, 401, `${method} ${path}`)
    assert.equal(answer.headers['www-authenticate'], 'Bearer', `${method} ${path}`)
  }
})

test('every public route is there', async (t) => {
  const { all } = await routes(t)
  const known = new Set(all.map(({ path, method }) => `${method} ${path}`))
  for (const route of PUBLIC)
    assert.ok(known.has(route), `${route} is listed as public and does not exist`)
})

test('every route with an id finds nothing for a stranger (404)', async (t) => {
  const { all, document, ann, bob } = await routes(t)
  const todo = (await ann.post('/api/v1/todos', { text: 'Hers' })).json()
  const owned = new Map([
    ['/api/v1/todos/:id', todo.id],
    ['/api/v1/users/:id', ann.id],
  ])
  for (const { path, method } of all) {
    if (!path.includes(':id')) continue
    const id = owned.get(path)
    assert.ok(id, `${path}: say here what a stranger must not find`)
    const url = path.replace(':id', id)
    const body = exampleBody(document, method, url)
    assert.equal((await send(bob, method, url, body)).statusCode, 404, `${method} ${path}`)
  }
  assert.equal((await ann.get(`/api/v1/todos/${todo.id}`)).json().text, 'Hers')
})

test('every route is documented, and each of its answers has a schema', async (t) => {
  const { all, document } = await routes(t)
  for (const { path, method } of all) {
    if (UNDOCUMENTED.test(path)) continue
    const found = operationFor(document, method, path.replace(':id', '1'))
    assert.ok(found, `${method} ${path} is not documented`)
    const { responses } = found.operation
    const successes = Object.keys(responses).filter((status) => status.startsWith('2'))
    assert.equal(successes.length, 1, `${method} ${path} has one kind of success`)
    for (const [status, { description, content }] of Object.entries(responses)) {
      assert.notEqual(description, 'Default Response', `${method} ${path} ${status} has no schema`)
      const isEmpty = status === '204' || status === '304' || path.endsWith('/revoke')
      if (isEmpty && status < '400') continue
      assert.ok(
        content && Object.values(content)[0]?.schema,
        `${method} ${path} ${status} has no schema`,
      )
    }
  }
})

test('a method that a path does not take is refused with the ones it takes (405)', async (t) => {
  const { all, nobody } = await routes(t)
  for (const { path } of all) {
    if (path.includes('*')) continue
    const taken = all.filter((route) => route.path === path).map(({ method }) => method)
    for (const method of ['DELETE', 'PATCH', 'POST', 'PUT'].filter(
      (each) => !taken.includes(each),
    )) {
      const answer = await send(nobody, method, path.replace(':id', '1'), undefined)
      assert.equal(answer.statusCode, 405, `${method} ${path}`)
      for (const each of taken) assert.ok(String(answer.headers.allow).split(', ').includes(each))
    }
  }
})

test('a list asks the database as often for many rows as for one', async (t) => {
  const { ann, queries, person } = await world(t)
  const admin = await person('root', { is_admin: true })
  const first = (await ann.post('/api/v1/todos', { text: 'One' })).json()
  const urls = ['/api/v1/todos?limit=100', `/api/v1/todos/${first.id}`, `/api/v1/users/${ann.id}`]
  const cost = async () => {
    const counts: number[] = []
    for (const client of [ann, admin]) {
      for (const url of [...urls, '/api/v1/users?limit=100']) {
        const before = queries()
        await client.get(url)
        counts.push(queries() - before)
      }
    }
    return counts
  }
  const few = await cost()
  for (let index = 0; index < 30; index++)
    await ann.post('/api/v1/todos', { text: `Todo ${index}` })
  for (let index = 0; index < 5; index++) await person(`friend${index}`)
  assert.deepEqual(await cost(), few)
})
