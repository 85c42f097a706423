import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { say } from '../say.ts'
import { type Server, startServer } from '../server.ts'

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
