import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { assetsDirectory } from '../../src/web/assets.ts'
import { world } from '../world.ts'

test('no spelling of a path leads out of the directory of files, or lists it', async (t) => {
  const { app } = await world(t)
  const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  // As it is written: most clients tidy a path up before they ask for it.
  const get = async (path: string) => {
    const [answer]: IncomingMessage[] = await once(
      request({ hostname, port, path }).end(),
      'response',
    )
    assert.ok(answer)
    return { status: answer.statusCode ?? 0, body: await text(answer) }
  }
  const [file = ''] = readdirSync(assetsDirectory)
  assert.equal((await get(`/assets/${file}`)).status, 200)
  for (const prefix of ['/assets', '/docs/static']) {
    for (const path of [
      '',
      '/',
      '/.',
      '/..',
      '/../manifest.json',
      '/..%2fmanifest.json',
      '/%2e%2e/manifest.json',
      '/%2e%2e%2fmanifest.json',
      '/..%5cmanifest.json',
      '/..\\..\\package.json',
      '/....//....//package.json',
      '/%252e%252e/package.json',
      '/..%00/package.json',
      '/%2e%2e/%2e%2e/package.json',
      '//etc/passwd',
      '/%2fetc/passwd',
      `/${file}%00.html`,
      `/${file}/..`,
      '/.env',
      '/..;/package.json',
    ]) {
      const { status, body } = await get(`${prefix}${path}`)
      assert.doesNotMatch(body, /"dependencies"|root:|"script":|Index of/, `${prefix}${path}`)
      const isDocs = prefix === '/docs/static' && path.length < 3
      assert.ok([400, 403, 404].includes(status) || isDocs, `${prefix}${path} ${status}`)
    }
  }
})
