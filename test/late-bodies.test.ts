// A body that comes long after its head, when the session with which it began has ended.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from './server.ts'
import { signedInVisitor } from './visitor.ts'
import { type World, world } from './world.ts'

/** Sends a head, and the body when `send` is called. Resolves when the server knows who is calling. */
async function begun(
  { queries }: World,
  url: string,
  { path, headers }: { path: string; headers: Record<string, string> },
) {
  const before = queries()
  const asked = request(`${url}${path}`, { method: 'POST', headers })
  asked.flushHeaders()
  await until(
    () => queries() > before,
    () => 'the caller is looked up',
  )
  return async (body: string) => {
    asked.end(body)
    const [answer] = await once(asked, 'response')
    return {
      status: answer.statusCode,
      location: answer.headers.location,
      body: await text(answer),
    }
  }
}

/** Longer than a body may take without that its caller is looked up again. */
const LATE = 1_100

test('a body that comes after its session has ended changes nothing (401, or to the sign-in form)', async (t) => {
  const here = await world(t)
  const { app, ann, nobody } = here
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const browser = await signedInVisitor(here)
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const call = await begun(here, url, {
    path: '/api/v1/todos',
    headers: { authorization: `Bearer ${ann.token}`, 'content-type': 'application/json' },
  })
  const form = await begun(here, url, {
    path: '/home/todos',
    headers: {
      cookie,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
    },
  })
  assert.equal((await nobody.form('/auth/revoke', { token: ann.token })).statusCode, 200)
  await browser.submit('/logout', {})
  await delay(LATE)
  assert.equal((await call('{"text":"Late"}')).status, 401)
  const led = await form('text=Late')
  assert.equal(led.status, 302)
  assert.match(String(led.location), /^\/login\?next=/)
  assert.deepEqual(await here.db.selectFrom('todos').selectAll().execute(), [])
})

test('a slow body of somebody who is still signed in is taken', async (t) => {
  const here = await world(t)
  const url = await here.app.listen({ host: '127.0.0.1', port: 0 })
  const send = await begun(here, url, {
    path: '/api/v1/todos',
    headers: { authorization: `Bearer ${here.ann.token}`, 'content-type': 'application/json' },
  })
  await delay(LATE)
  assert.equal((await send('{"text":"Slow"}')).status, 201)
})
