import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Value } from 'typebox/value'
import { addMany } from '../../../test/many-todos.ts'
import { until } from '../../../test/server.ts'
import { signedInVisitor } from '../../../test/visitor.ts'
import { type Person, type World, world } from '../../../test/world.ts'
import { add } from '../todos/add-store.ts'
import { Export } from './schema.ts'

const EXPORT = '/api/v1/auth/me/export'

/** More than the sockets hold. */
async function writeMuch(here: World, person: Person): Promise<void> {
  const text = '🌧'.repeat(2000)
  for (let number = 0; number < 2000; number++) await add(here.db, person.id, { text })
}

/** The service on a port, and answers of it that are not read yet. */
async function listening(t: TestContext) {
  const answers: IncomingMessage[] = []
  // Before the service is closed, which waits for them.
  t.after(() => {
    for (const answer of answers) answer.destroy()
  })
  const here = await world(t)
  const url = await here.app.listen({ port: 0, host: '127.0.0.1' })
  const unread = async (headers: Record<string, string>, path = EXPORT) => {
    const [answer]: IncomingMessage[] = await once(get(`${url}${path}`, { headers }), 'response')
    assert.ok(answer)
    answer.on('error', () => {})
    answer.pause()
    answers.push(answer)
    return answer
  }
  return { ...here, url, unread }
}

const bearer = ({ token }: Person) => ({ authorization: `Bearer ${token}` })

test('the longest todos are exported in small pieces', { timeout: 30_000 }, async (t) => {
  const here = await listening(t)
  const text = '🌧'.repeat(2000)
  for (let number = 0; number < 150; number++) await add(here.db, here.ann.id, { text })
  const socket = connect(Number(new URL(here.url).port), '127.0.0.1')
  socket.write(
    `GET ${EXPORT} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${here.ann.token}\r\nConnection: close\r\n\r\n`,
  )
  const answer = (await buffer(socket)).toString()
  const pieces = [...answer.matchAll(/^([\da-f]+)\r$/gm)].map(([, size = '']) => parseInt(size, 16))
  assert.ok(pieces.length > 5, `${pieces.length} pieces`)
  assert.ok(Math.max(...pieces) < 192 * 1024, `one of ${Math.max(...pieces)} bytes`)
})

test('a reader who stops for a while gets the rest too, in whatever script it is', {
  timeout: 60_000,
}, async (t) => {
  const here = await listening(t)
  const texts = Array.from({ length: 2000 }, () => 'б'.repeat(600))
  for (let time = 0; time < 5; time++) await addMany(here, here.ann.id, texts)
  const answer = await here.unread(bearer(here.ann))
  // Until the sockets hold all that they can.
  await delay(1000)
  const { todos } = Value.Parse(Export, JSON.parse((await buffer(answer)).toString()))
  assert.equal(todos.length, 10_000)
})

test('an account has two exports at a time, and another when one of them is over (429)', {
  timeout: 60_000,
}, async (t) => {
  const here = await listening(t)
  await writeMuch(here, here.ann)
  const browser = await signedInVisitor(here, 'ann')
  const first = await here.unread(bearer(here.ann))
  const second = await here.unread(bearer(here.ann))
  assert.deepEqual([first.statusCode, second.statusCode], [200, 200])

  const refused = await here.ann.get(EXPORT)
  assert.equal(refused.statusCode, 429)
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/)
  assert.match(refused.json().detail, /two exports/i)
  assert.equal((await browser.get('/account/export')).statusCode, 429)
  assert.equal((await here.bob.get(EXPORT)).statusCode, 200)
  assert.equal((await here.ann.send(EXPORT, { method: 'HEAD' })).statusCode, 200)

  // One client goes away, the other reads to the end.
  first.destroy()
  await until(
    async () => (await here.ann.get(EXPORT)).statusCode === 200,
    () => 'room for another',
  )
  const third = await here.unread(bearer(here.ann))
  assert.equal((await here.ann.get(EXPORT)).statusCode, 429)
  second.resume()
  await once(second, 'end')
  await until(
    async () => (await here.ann.get(EXPORT)).statusCode === 200,
    () => 'room for another',
  )
  assert.equal(third.statusCode, 200)
})

test('exports that fail are over', { timeout: 30_000 }, async (t) => {
  const here = await listening(t)
  await here.db.schema.alterTable('todos').renameTo('elsewhere').execute()
  for (let time = 0; time < 3; time++) {
    const answer = await here.unread(bearer(here.ann))
    assert.equal(answer.statusCode, 200)
    await assert.rejects(buffer(answer), /aborted/)
  }
  await here.db.schema.alterTable('elsewhere').renameTo('todos').execute()
  await until(
    async () => (await here.ann.get(EXPORT)).statusCode === 200,
    () => 'room for another',
  )
})

for (const [kind, path] of [
  ['a program', EXPORT],
  ['a browser', '/account/export'],
] as const) {
  test(`an export of ${kind} is cut off when its session has ended, and has nothing later in it`, {
    timeout: 60_000,
  }, async (t) => {
    const here = await listening(t)
    await writeMuch(here, here.ann)
    const browser = await signedInVisitor(here, 'ann')
    const cookie = [...browser.cookies].map((each) => each.join('=')).join('; ')
    const answer = await here.unread(path === EXPORT ? bearer(here.ann) : { cookie }, path)
    assert.equal(answer.statusCode, 200)
    if (path === EXPORT) await here.ann.form('/auth/revoke', { token: here.ann.token })
    else await browser.submit('/logout')
    await add(here.db, here.ann.id, { text: 'Afterwards' })
    let text = ''
    answer.setEncoding('utf8').on('data', (piece) => {
      text += piece
    })
    answer.resume()
    await new Promise((close) => answer.once('close', close))
    assert.equal(answer.complete, false)
    assert.ok(text.length > 0)
    assert.doesNotMatch(text, /Afterwards|\]\}\n$/)
  })
}
