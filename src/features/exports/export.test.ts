import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { signedInVisitor } from '../../../test/visitor.ts'
import { world } from '../../../test/world.ts'
import { fromNow } from '../../lib/time.ts'
import { add } from '../todos/add-store.ts'

const EXPORT = '/api/v1/auth/me/export'

test('the export holds the account, its sessions and every todo, and nothing of anyone else', async (t) => {
  const here = await world(t)
  const { ann, bob } = here
  const open = (await ann.post('/api/v1/todos', { text: 'Buy “milk” \u2028 & </script>' })).json()
  const done = (await ann.post('/api/v1/todos', { text: 'Sleep', completed: true })).json()
  await bob.post('/api/v1/todos', { text: 'His' })
  const browser = await signedInVisitor(here, 'ann', { 'user-agent': 'Links' })

  const page = await browser.get('/account/export')
  assert.equal(page.statusCode, 200)
  assert.match(String(page.headers['content-type']), /^application\/json/)
  assert.match(
    String(page.headers['content-disposition']),
    /^attachment; filename="todo-app-\d{4}-\d\d-\d\d\.json"$/,
  )
  assert.equal(page.headers['cache-control'], 'no-store')
  const { exported_at, sessions, ...rest } = page.json()
  assert.ok(Math.abs(Date.now() - Date.parse(exported_at)) < 60_000)
  const shown = ({ owner_id, ...todo }: { owner_id: number }) => todo
  assert.deepEqual(rest, {
    format: 'todo-app-export',
    version: 1,
    account: (await ann.get('/auth/me')).json(),
    todos: [
      { ...shown(open), completed_at: null },
      { ...shown(done), completed_at: done.created_at },
    ],
  })
  const kinds = sessions.map(({ kind, user_agent }: { kind: string; user_agent: string }) => [
    kind,
    user_agent,
  ])
  assert.deepEqual([kinds.length, kinds[0][0]], [2, 'api'])
  assert.deepEqual(kinds[1], ['browser', 'Links'])
  assert.doesNotMatch(page.body, /digest|hash|argon2|password|_key|version":\d+\D+owner|His/)
})

test('a program reads the same, in the declared shape', async (t) => {
  const { ann } = await world(t)
  assert.deepEqual((await ann.get(EXPORT)).json().todos, [])
  await ann.post('/api/v1/todos', { text: 'One' })
  const { todos: list, account } = (await ann.get(EXPORT)).json()
  assert.deepEqual([list.length, list[0].text, account.id], [1, 'One', ann.id])
})

test('an export of many todos has each once, in order, and is read a page at a time', async (t) => {
  const here = await world(t)
  const ids: number[] = []
  for (let number = 0; number < 1001; number++) {
    ids.push((await add(here.db, here.ann.id, { text: `Todo ${number}` })).id)
    if (number % 3 === 0) await add(here.db, here.bob.id, { text: 'His' })
  }
  const before = here.queries()
  const answer = await here.ann.get(EXPORT)
  assert.equal(here.queries() - before, 26)
  assert.deepEqual(
    answer.json().todos.map(({ id }: { id: number }) => id),
    ids,
  )
})

test('an export of many sessions has each once, in order, and is read a page at a time', async (t) => {
  const { ann, db, statements } = await world(t)
  const others = Array.from({ length: 1001 }, () => ({
    user_id: ann.id,
    cookie_digest: null,
    user_agent: 'curl',
    address: null,
    created_at: fromNow(0),
    last_used_at: fromNow(0),
    expires_at: fromNow(1000),
  }))
  await db.insertInto('sessions').values(others).execute()
  const own = await db.selectFrom('sessions').select('id').where('user_id', '=', ann.id).execute()
  const before = statements().length
  const { sessions } = (await ann.get(EXPORT)).json()
  assert.deepEqual(
    sessions.map(({ id }: { id: number }) => id),
    own.map(({ id }) => id).toSorted((one, other) => one - other),
  )
  const reads = statements().slice(before)
  assert.equal(reads.filter(({ sql }) => /user_agent.* limit /s.test(sql)).length, 3)
})

test('HEAD says what the export is, and reads neither sessions nor todos', async (t) => {
  const here = await world(t)
  const authorization = `Bearer ${here.ann.token}`
  const readWith = async (method: 'GET' | 'HEAD') => {
    const before = here.queries()
    const { statusCode, headers } = await here.app.inject({
      method,
      url: EXPORT,
      headers: { authorization },
    })
    assert.equal(statusCode, 200)
    assert.match(String(headers['content-type']), /^application\/json/)
    assert.match(String(headers['content-disposition']), /^attachment/)
    // The answer to HEAD does not wait for what would be read for a body.
    await delay(100)
    return here.queries() - before
  }
  assert.equal(await readWith('HEAD'), (await readWith('GET')) - 4)
})

test('who must sign in for the export comes to the account, since a file is no page to stay on', async (t) => {
  const { app } = await world(t)
  const { headers } = await app.inject('/account/export')
  assert.equal(headers.location, '/login?next=%2Faccount')
})

test('who reads slowly keeps nobody else from writing', async (t) => {
  const here = await world(t)
  const text = 'x'.repeat(2000)
  for (let number = 0; number < 2000; number++) {
    await add(here.db, here.ann.id, { text })
  }
  const url = await here.app.listen({ port: 0, host: '127.0.0.1' })
  const request = get(`${url}${EXPORT}`, { headers: { authorization: `Bearer ${here.ann.token}` } })
  const [answer] = await once(request, 'response')
  answer.pause()
  assert.equal((await here.bob.post('/api/v1/todos', { text: 'Meanwhile' })).statusCode, 201)
  assert.equal((await here.ann.post('/api/v1/todos', { text: 'Late' })).statusCode, 201)
  let body = ''
  for await (const chunk of answer.setEncoding('utf8')) body += chunk
  const { length } = JSON.parse(body).todos
  assert.ok(length >= 2000 && length <= 2001)
})

test('an export that breaks off in the middle is no whole file, and the service goes on', async (t) => {
  const here = await world(t)
  // More than the sockets hold, so that the last todos are read late.
  const text = '🌧'.repeat(2000)
  for (let number = 0; number < 2500; number++) {
    await add(here.db, here.ann.id, { text })
  }
  const url = await here.app.listen({ port: 0, host: '127.0.0.1' })
  const request = get(`${url}${EXPORT}`, { headers: { authorization: `Bearer ${here.ann.token}` } })
  const [answer] = await once(request, 'response')
  answer.pause()
  await sql`drop table todos`.execute(here.db)
  await assert.rejects(buffer(answer), /aborted/)
  assert.equal((await here.ann.get('/auth/me')).statusCode, 200)
})
