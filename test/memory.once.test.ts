import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { startServer } from './server.ts'

const MIB = 1024 ** 2
/** The service rests for up to 40 s before. */
const PATIENCE = 55_000
/** In bytes. What a collection of V8's own leaves between two rounds is not yet a busy time's. */
const GROWTH = 24 * MIB
const ROUNDS = 200

test('memory that a busy time took is given back after a rest', { timeout: 90_000 }, async (t) => {
  const port = await freePort()
  const server = await startServer(t, { METRICS_PORT: String(port) })
  const heap = async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const [, bytes] = /^nodejs_heap_size_total_bytes(?:\{.*\})? (\S+)$/m.exec(metrics) ?? []
    return Number(bytes)
  }
  const before = await heap()
  let busy = before
  for (let round = 0; busy < before + GROWTH; round++) {
    assert.ok(round < ROUNDS, `the heap of ${before} bytes has ${busy} after ${round} rounds`)
    await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch(`${server.url}/login`)).text()),
    )
    busy = await heap()
  }

  const end = performance.now() + PATIENCE
  while ((await heap()) > busy - 10 * MIB) {
    assert.ok(performance.now() < end, `the heap is still ${await heap()} bytes, of ${busy}`)
    await delay(1000)
  }
})
