import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface Outcome {
  /** How often each status came; 0 for a connection that ended without an answer. */
  readonly statuses: ReadonlyMap<number, number>
  /** Answers of 503 that did not say when to come again. */
  readonly withoutRetryAfter: number
  /** Requests that were due, and not sent because too many waited for an answer already. */
  readonly unsent: number
  /** How long each success took, in milliseconds, from the shortest. */
  readonly durations: readonly number[]
  readonly seconds: number
}

interface Flood {
  readonly url: string
  /** The bytes of one request. */
  readonly request: string
  readonly perSecond: number
  readonly seconds: number
  /** Open connections, as a proxy keeps them, each with one request at a time. */
  readonly connections?: number
}

/**
 * Sends so many requests a second whether they are answered or not, as a crowd does: a client that
 * waits for each answer before it sends the next one never overloads anything.
 */
export async function flood(options: Flood): Promise<Outcome> {
  const { url, request, perSecond, seconds, connections = 3000 } = options
  const { hostname, port } = new URL(url)
  const statuses = new Map<number, number>()
  const durations: number[] = []
  const idle: Caller[] = []
  const all = new Set<Caller>()
  let withoutRetryAfter = 0
  let unsent = 0

  const hear = (caller: Caller, status: number, head: string, took: number) => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (status === 503 && !/\r\nretry-after: [1-9]/i.test(head)) withoutRetryAfter++
    if (status >= 200 && status < 300) durations.push(took)
    if (status === 0) all.delete(caller)
    else idle.push(caller)
  }
  // Each is served once before the flood: a process accepts connections far slower than requests.
  while (all.size < connections) {
    for (let number = 0; number < 50 && all.size < connections; number++) {
      const caller = new Caller(connect(Number(port), hostname), hear)
      all.add(caller)
      caller.ask('GET /health HTTP/1.1\r\nHost: here\r\n\r\n')
    }
    while (idle.length < all.size) await delay(1)
  }
  statuses.clear()
  durations.length = 0

  const began = performance.now()
  let sent = 0
  for (;;) {
    const elapsed = (performance.now() - began) / 1000
    if (elapsed >= seconds) break
    for (const due = elapsed * perSecond; sent < due; sent++) {
      const caller = idle.pop()
      if (caller) caller.ask(request)
      else unsent++
    }
    await delay(1)
  }
  const lasted = (performance.now() - began) / 1000
  // What is under way may end.
  for (let round = 0; round < 200 && idle.length < all.size; round++) await delay(50)
  for (const caller of all) caller.end()
  durations.sort((one, other) => one - other)
  return { statuses, withoutRetryAfter, unsent, durations, seconds: lasted }
}

type Hear = (caller: Caller, status: number, head: string, took: number) => void

/** One connection, which reads no more of an answer than where it ends. */
class Caller {
  readonly #socket: Socket
  readonly #hear: Hear
  #since = 0
  #head = ''
  #missing = 0
  #isWaiting = false

  constructor(socket: Socket, hear: Hear) {
    this.#socket = socket
    this.#hear = hear
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.#isWaiting && this.#settle(0))
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
  }

  ask(request: string): void {
    this.#since = performance.now()
    this.#head = ''
    this.#missing = 0
    this.#isWaiting = true
    this.#socket.write(request)
  }

  end(): void {
    this.#isWaiting = false
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    if (this.#missing > 0) {
      this.#missing -= bytes.length
    } else {
      this.#head += bytes.toString('latin1')
      const end = this.#head.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1] ?? 0)
      this.#missing = end + 4 + length - this.#head.length
      this.#head = this.#head.slice(0, end + 2)
    }
    if (this.#missing <= 0) this.#settle(Number(this.#head.slice(9, 12)))
  }

  #settle(status: number): void {
    this.#isWaiting = false
    this.#hear(this, status, this.#head, performance.now() - this.#since)
  }
}
