import assert from 'node:assert/strict'
import { test } from 'node:test'
import { world } from '../../test/world.ts'
import { readAssets } from './assets.ts'

test('a file that the pages load may be kept for ever', async (t) => {
  const { app } = await world(t)
  for (const url of Object.values(readAssets())) {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await app.inject({ method, url })
      assert.equal(answer.statusCode, 200, url)
      assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable', url)
    }
  }
})

test('a page of another version gets the style and script of this one, but not to keep', async (t) => {
  const { app } = await world(t)
  for (const current of Object.values(readAssets())) {
    const { headers, rawPayload } = await app.inject(current)
    const ofAnotherVersion = current.replace(/-[\w-]{8}\./, '-0_-aZ9qX.')
    assert.notEqual(ofAnotherVersion, current)
    const answer = await app.inject(ofAnotherVersion)
    assert.equal(answer.statusCode, 200, ofAnotherVersion)
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['content-type'], headers['content-type'])
    assert.deepEqual(answer.rawPayload, rawPayload)
    const compressed = await app.inject({
      url: ofAnotherVersion,
      headers: { 'accept-encoding': 'br' },
    })
    assert.equal(compressed.headers['content-encoding'], 'br')
    assert.equal(compressed.headers['cache-control'], 'no-store')
  }
})

test('a file that no version has is not found', async (t) => {
  const { app } = await world(t)
  for (const file of [
    'app.css',
    'other-12345678.css',
    'app-12345678.txt',
    'a/app-12345678.css',
    '',
  ]) {
    const answer = await app.inject(`/assets/${file}`)
    assert.equal(answer.statusCode, 404, file)
    assert.equal(answer.headers['cache-control'], 'no-store', file)
    assert.equal(answer.json().detail, 'There is nothing at this path.')
  }
})
