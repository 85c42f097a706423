import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { startServer } from './server.ts'

const MIB = 1024 ** 2
/** The service rests for up to 40 s before. */
const PATIENCE = 55_000

test('memory that a busy time took is given back after a rest', { timeout: 90_000 }, async (t) => {
  const port = await freePort()
  const server = await startServer(t, {
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
    await delay(1000)
  }
})
