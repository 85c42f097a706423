import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import manifest from '../package.json' with { type: 'json' }
import { freePort } from './free-port.ts'
import { startServer } from './server.ts'

const MIB = 1024 ** 2
const PATIENCE = 30_000

/** The flags that `npm start` gives Node. */
const flags = manifest.scripts.start.split(' ').filter((word) => word.startsWith('--'))

test('memory that a busy time took is given back once little is asked', async (t) => {
  const port = await freePort()
  const server = await startServer(t, {
    NODE_OPTIONS: flags.join(' '),
    METRICS_PORT: String(port),
    OVERLOAD_DELAY: '60000',
  })
  const heap = async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const [, bytes] = /^nodejs_heap_size_total_bytes(?:\{.*\})? (\S+)$/m.exec(metrics) ?? []
    return Number(bytes)
  }
  const before = await heap()
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch(`${server.url}/login`)).text()),
    )
  }
  const busy = await heap()
  assert.ok(busy > before + 10 * MIB, `the heap grew from ${before} to ${busy} bytes`)

  const end = performance.now() + PATIENCE
  while ((await heap()) > busy - 10 * MIB) {
    assert.ok(performance.now() < end, `the heap is still ${await heap()} bytes, of ${busy}`)
    await delay(500)
  }
})
