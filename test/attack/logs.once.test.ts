import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Value } from 'typebox/value'
import { Tokens } from '../../src/features/sessions/schema.ts'
import { say } from '../say.ts'
import { type Server, startServer } from '../server.ts'
import { PASSWORD } from '../world.ts'

/** All that was logged up to now: the line of one more request is the last. */
async function everything({ url, output }: Server): Promise<string> {
  await fetch(new URL('/health', url), { headers: { 'x-request-id': 'the-last-one' } })
  while (!output().includes('the-last-one')) await setTimeout(20)
  return output()
}

const FORGED = '{"level":30,"msg":"forged"}'
const requests = [
  `GET /x%0a${encodeURIComponent(FORGED)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET /x${FORGED}\x9b31m\x85 HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: a","msg":"forged"\r\n\r\n`,
  `GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${FORGED}\x9b31m\r\n\r\n`,
]

for (const format of ['json', 'pretty']) {
  test(`nobody can write a log line, or colour one, from outside (${format})`, async (t) => {
    const server = await startServer(t, {
      LOG_FORMAT: format,
      PROXY_HEADERS: '1',
      FORWARDED_ALLOW_IPS: '*',
    })
    for (const request of requests) await say(server.url, request)
    const lines = (await everything(server)).trim().split('\n')
    assert.ok(
      lines.some((line) => line.includes('/x%0a')),
      'the forgeries got as far as the log',
    )
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      assert.doesNotMatch(stripVTControlCharacters(line), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/, line)
      if (format === 'json') assert.notEqual(JSON.parse(line).msg, 'forged', line)
    }
  })
}

test('neither a password, a token, a cookie nor what was searched for gets into the log', async (t) => {
  const server = await startServer(t, { LOG_FORMAT: 'json', LOG_LEVEL: 'trace' })
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(new URL(path, server.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const account = {
    email: 'secret@example.com',
    password: PASSWORD,
    fname: 'Nomen',
    lname: 'Nescio',
  }
  await post('/api/v1/users/signup', account)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const credentials = new URLSearchParams({ username: account.email, password: PASSWORD })
  const signedIn = await post('/auth/token', credentials.toString(), form)
  const tokens = Value.Parse(Tokens, await signedIn.json())
  const authorization = `Bearer ${tokens.access_token}`
  await post('/api/v1/todos', { text: 'private matter' }, { authorization })
  await fetch(new URL('/api/v1/todos?q=sought', server.url), {
    headers: { authorization, cookie: 'session=biscuit' },
  })
  await post('/api/v1/todos', '{"text":"private', { authorization })
  await post('/auth/token', 'username=secret%40example.com&password=wrong-word', form)
  const output = await everything(server)
  const secrets = [
    PASSWORD,
    'wrong-word',
    tokens.access_token,
    tokens.refresh_token,
    account.email,
    'secret%40',
    'Nescio',
    'private',
    'sought',
    'biscuit',
  ]
  for (const secret of secrets) assert.ok(!output.includes(secret), secret)
  assert.ok(output.includes('/api/v1/todos'), 'the path is there')
})
