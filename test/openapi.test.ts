import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { documentOf } from './answers.ts'
import { world } from './world.ts'

const redocly = join(
  dirname(createRequire(import.meta.url).resolve('@redocly/cli/package.json')),
  'bin/cli.js',
)
const PRIVATE = [{ password: [] }, { session: [] }]

async function operations(t: Parameters<typeof world>[0]) {
  const document = await documentOf((await world(t)).app)
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      what: `${method} ${path}`,
      operation,
    })),
  )
}

test('the OpenAPI document passes the recommended rules without a warning', async (t) => {
  const { nobody } = await world(t)
  const directory = await mkdtemp(join(tmpdir(), 'todo-app-'))
  t.after(() => rm(directory, { recursive: true }))
  const answer = await nobody.get('/openapi.json')
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  await writeFile(join(directory, 'openapi.json'), answer.body)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [redocly, 'lint', '--extends=recommended', '--format=json', 'openapi.json'],
    {
      cwd: directory,
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  )
  const { totals, problems } = JSON.parse(stdout)
  assert.deepEqual(
    totals,
    { errors: 0, warnings: 0, ignored: 0 },
    JSON.stringify(problems, null, 2),
  )
})

test('the document is OpenAPI 3.1 and names each shape once', async (t) => {
  const { nobody } = await world(t)
  const document = (await nobody.get('/openapi.json')).json()
  assert.match(document.openapi, /^3\.1\./)
  assert.deepEqual(Object.keys(document.components.schemas).sort(), [
    'AccountDelete',
    'AccountUpdate',
    'Export',
    'Fault',
    'Greeting',
    'Health',
    'Problem',
    'Profile',
    'RevokeRequest',
    'Todo',
    'TodoCreate',
    'TodoReplace',
    'TodoUpdate',
    'TodoWithOwner',
    'TokenRequest',
    'Tokens',
    'User',
    'UserCreate',
  ])
  assert.deepEqual(Object.keys(document.components.securitySchemes).sort(), ['password', 'session'])
  const inline = JSON.stringify(document.paths).match(/"properties":/g)
  assert.equal(inline, null, 'every object with fields is a component')
})

test('Swagger UI offers the same document, as JSON and as YAML', async (t) => {
  const { nobody } = await world(t)
  const document = (await nobody.get('/openapi.json')).json()
  assert.deepEqual((await nobody.get('/docs/json')).json(), document)
  assert.deepEqual(parse((await nobody.get('/docs/yaml')).body), document)
})

test('every parameter that has a default may be left out', async (t) => {
  const parameters = (await operations(t)).flatMap(({ operation }) => operation.parameters ?? [])
  const defaulted = parameters.filter(
    ({ schema }) => typeof schema === 'object' && schema !== null && 'default' in schema,
  )
  assert.deepEqual([...new Set(defaulted.map(({ name }) => name))].sort(), ['limit', 'sort'])
  for (const { name, required } of defaulted) assert.notEqual(required, true, name)
})

test('what is optional has no example, which the documentation would send along', async (t) => {
  const parameters = (await operations(t)).flatMap(({ operation }) => operation.parameters ?? [])
  const optional = parameters.filter(({ required }) => !required)
  assert.ok(optional.length > 0)
  for (const { name, schema } of optional) {
    assert.doesNotMatch(JSON.stringify(schema), /"examples?":/, name)
  }
})

test('no pattern in the document reads otherwise in another language', async (t) => {
  const { nobody } = await world(t)
  const patterns = (await nobody.get('/openapi.json')).body.match(/"pattern":"[^"]*"/g) ?? []
  assert.ok(patterns.length > 0)
  for (const pattern of patterns) assert.doesNotMatch(pattern, /\\|[^ -~]/)
})

test('every operation has a name of its own, and says who may call it', async (t) => {
  const all = await operations(t)
  const names = all.map(({ operation }) => operation.operationId)
  assert.equal(new Set(names).size, names.length)
  for (const { what, operation } of all) {
    const isPublic = JSON.stringify(operation.security) === '[]'
    if (!isPublic) assert.deepEqual(operation.security, PRIVATE, what)
    assert.equal('401' in operation.responses, !isPublic || what.endsWith('/auth/token'), what)
  }
})

// The client of the tests looks at the headers of whatever it is answered (test/answers.ts).
test('every header that an answer brings is documented', async (t) => {
  const { nobody } = await world(t)
  const { paths } = (await nobody.get('/openapi.json')).json()
  const headers = (path: string, method: string, status: number) =>
    Object.keys(paths[path][method].responses[status].headers).sort()
  assert.deepEqual(headers('/api/v1/todos', 'get', 200), ['Link', 'X-Request-Id', 'X-Total-Count'])
  assert.deepEqual(headers('/api/v1/todos', 'post', 201), ['ETag', 'Location', 'X-Request-Id'])
  assert.deepEqual(headers('/api/v1/todos/{id}', 'get', 304), ['ETag', 'X-Request-Id'])
  assert.deepEqual(headers('/api/v1/todos/{id}', 'patch', 401), [
    'WWW-Authenticate',
    'X-Request-Id',
  ])
  assert.deepEqual(headers('/auth/token', 'post', 429), ['Retry-After', 'X-Request-Id'])
  assert.deepEqual(headers('/ready', 'get', 503), ['Retry-After', 'X-Request-Id'])
  assert.deepEqual(headers('/api/v1/auth/me/export', 'get', 200), [
    'Content-Disposition',
    'X-Request-Id',
  ])
  assert.deepEqual(headers('/api/v1/todos', 'post', 415), [
    'Accept',
    'Accept-Encoding',
    'X-Request-Id',
  ])
})

test('the document names the paths of the prefix that the API has', async (t) => {
  const { nobody } = await world(t, { API_PREFIX: '/v9/x' })
  const { body } = await nobody.get('/openapi.json')
  assert.match(body, /"\/v9\/x\/todos\/1"/)
  assert.doesNotMatch(body, /\/api\/v1/)
})

test('every condition that a request for a todo may make is documented', async (t) => {
  const all = await operations(t)
  for (const method of ['get', 'put', 'patch', 'delete']) {
    const found = all.find(({ what }) => what === `${method} /api/v1/todos/{id}`)
    const names = found?.operation.parameters?.filter((each) => each.in === 'header')
    assert.deepEqual(names?.map(({ name }) => name).sort(), ['if-match', 'if-none-match'], method)
    assert.ok(found?.operation.responses['412'], method)
  }
})
