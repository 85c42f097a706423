import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lazyCompilers } from '../src/http/compilers.ts'
import { documentOf, operationFor } from './answers.ts'
import { world } from './world.ts'

/** What is not part of the documented API: the document itself, and the pages. */
const UNDOCUMENTED =
  /^\/(docs|openapi\.json|assets|account|home|login|logout|sessions|signup|theme)(\/|$)/

async function routes(t: Parameters<typeof world>[0]) {
  const here = await world(t)
  const all = [...here.app.routeTable].flatMap(([path, methods]) =>
    [...methods].filter((method) => method !== 'HEAD').map((method) => ({ path, method })),
  )
  assert.ok(all.length > 20, 'the routes were collected')
  return { ...here, all, document: await documentOf(here.app) }
}

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
      const isEmpty = /^(204|3..)$/.test(status) || (status === '200' && path.endsWith('/revoke'))
      if (isEmpty) continue
      assert.ok(
        content && Object.values(content)[0]?.schema,
        `${method} ${path} ${status} has no schema`,
      )
    }
  }
})

test('every schema compiles, though a route compiles its own only when it is used', async (t) => {
  const { app } = await world(t)
  app.compileSchemas()

  const place = { method: 'GET', url: '/', schema: { type: 'no such type' } }
  for (const compiler of ['validator', 'serializer'] as const) {
    const wrong = lazyCompilers()
    wrong[compiler](place)
    assert.throws(wrong.compileAll, /no such type|type must be/)
  }
})

test('a method that a path does not take is refused with the ones it takes (405)', async (t) => {
  const { all, nobody } = await routes(t)
  for (const { path } of all) {
    if (path.includes('*')) continue
    const taken = all.filter((route) => route.path === path).map(({ method }) => method)
    const others = (['DELETE', 'PATCH', 'POST', 'PUT'] as const).filter(
      (each) => !taken.includes(each),
    )
    for (const method of others) {
      const answer = await nobody.send(path.replace(':id', '1'), { method })
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
