import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { startServer } from './server.ts'

/** In milliseconds. The service rests for up to 40 s before. */
const PATIENCE = 55_000
const ROUNDS = 30

test('memory that a busy time took is given back after a rest', { timeout: 90_000 }, async (t) => {
  const port = await freePort()
  const server = await startServer(t, { METRICS_PORT: String(port) })
  const heap = async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const [, bytes] = /^nodejs_heap_size_total_bytes(?:\{.*\})? (\S+)$/m.exec(metrics) ?? []
    return Number(bytes)
  }
  const atStart = await heap()
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch(`${server.url}/login`)).text()),
    )
  }
  const busy = await heap()
  assert.ok(busy > atStart, `a busy time took nothing: ${atStart} bytes before, ${busy} after`)

  // The start leaves garbage too, so less than it took is what only collecting all of it gives.
  const end = performance.now() + PATIENCE
  while ((await heap()) >= atStart) {
    assert.ok(performance.now() < end, `the heap is still ${await heap()} bytes, of ${busy}`)
    await delay(1000)
  }
})
