// One round of load by autocannon: its URL is the argument, the work is JSON on standard input.
import { text } from 'node:stream/consumers'
import autocannon from 'autocannon'
import { type Load, type Result, type Tickable, TIMEOUT } from './types.ts'

const { connections, duration, requests, ticks }: Load = JSON.parse(await text(process.stdin))

/** Each tick names the version that the answer before gave, so that the condition holds. */
function ticking({ path, headers, version, completed }: Tickable): autocannon.Request {
  let current = version
  let isDone = completed
  return {
    method: 'PATCH',
    path,
    setupRequest: (request) => ({
      ...request,
      headers: { ...headers, 'Content-Type': 'application/json', 'If-Match': `"${current}.1"` },
      body: JSON.stringify({ completed: !isDone }),
    }),
    onResponse: (status, _body, _context, answered) => {
      const [, tag] = Object.entries(answered ?? {}).find(([name]) => /^etag$/i.test(name)) ?? []
      if (status !== 200 || !tag) return
      current = Number(/\d+/.exec(String(tag))?.[0])
      isDone = !isDone
    },
  }
}

let connection = 0
/** The connections begin at different places; each has todos of its own to tick. */
function worksOf(index: number): autocannon.Request[] {
  if (ticks) return ticks.filter((_, place) => place % connections === index).map(ticking)
  const all = requests ?? []
  const start = Math.floor((index / connections) * all.length)
  return [...all.slice(start), ...all.slice(0, start)].map((request) => ({ ...request }))
}

const latencies: number[] = []
const failures: Record<string, number> = {}
const run = autocannon({
  url: process.argv[2] ?? '',
  connections,
  duration,
  timeout: TIMEOUT,
  setupClient: (client) => {
    client.setRequests(worksOf(connection++))
    client.on('response', (status, _bytes, milliseconds) => {
      latencies.push(milliseconds)
      if (status >= 400) failures[status] = (failures[status] ?? 0) + 1
    })
  },
})
const began = performance.now()
const { errors, timeouts } = await run
const seconds = (performance.now() - began) / 1000
// Its own percentiles are whole milliseconds.
const sorted = Float64Array.from(latencies).sort()
const percentile = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
const result: Result = {
  rate: sorted.length / seconds,
  requests: sorted.length,
  p50: percentile(0.5),
  p99: percentile(0.99),
  failures: { ...failures, timeout: timeouts, connection: errors - timeouts },
}
console.log(JSON.stringify(result))
