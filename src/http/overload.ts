import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { unavailable } from '../lib/problem.ts'
import { endLongTurn } from '../lib/turn.ts'
import type { Limits } from './limits.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on the routes that must answer under any load, since machines decide by them. */
    isVital?: boolean
  }
}

/**
 * Refuses requests as they come while those before them wait too long, so that what is accepted is
 * answered in time and the rest hears at once that it is not. `longestWait` says for how long the
 * database has let someone wait, in milliseconds.
 */
export function shedLoad(
  app: FastifyInstance,
  { overloadDelay }: Limits,
  longestWait: () => number,
): void {
  const arrivals = new Arrivals()
  app.addHook('onRequest', (request, _reply, done) => {
    endLongTurn()
    const isLate = arrivals.longestWait(request.raw.socket) > overloadDelay
    const isOverloaded = isLate || longestWait() > overloadDelay
    if (!isOverloaded || request.routeOptions.config.isVital) return done()
    done(unavailable('The server has more to do than it can do in time. Try again in a moment.'))
  })
}

/** So many bytes are read from a connection at a time; behind as many there may be more that waits already. */
const READING_MAX = 64 * 1024

/** What was read from a connection. Times by `performance.now()`. */
interface Readings {
  last: number
  /** The last that took all that had come by then, of those before the last. */
  before: number
  /** Of all of them, by which several requests of one reading are known. */
  bytes: number
  bytesOfLast: number
}

/**
 * Knows for how long a request can have waited for the processor. It lay unread in its socket, where nobody can count
 * it; but it is no older than
 * - the turn of the event loop before this one, which handled all that had come by then, and
 * - what was read from its connection before it. That tells of long turns (`endLongTurn`), which handle
 *   many requests of one connection.
 */
class Arrivals {
  /** When the turn before this one began, where nothing but work was between them, and when this one did. */
  #lastBegan: number | undefined
  #thisBegan: number | undefined
  readonly #readings = new WeakMap<Socket, Readings>()

  /** For how long a request that has just been read from `socket` can have waited there, in milliseconds. */
  longestWait(socket: Socket): number {
    const now = performance.now()
    if (this.#thisBegan === undefined) {
      this.#thisBegan = now
      // `atEndOfTurn` would be done early in a long turn, and it is the whole turn that counts.
      if (this.#lastBegan === undefined) setImmediate(this.#endTurn)
    }
    return now - Math.max(this.#lastBegan ?? this.#thisBegan, this.#readBefore(socket, now))
  }

  readonly #endTurn = () => {
    this.#lastBegan = this.#thisBegan
    this.#thisBegan = undefined
    // With this to come, the event loop goes on at once.
    if (this.#lastBegan !== undefined) setImmediate(this.#endTurn)
  }

  #readBefore(socket: Socket, now: number): number {
    const bytes = socket.bytesRead
    const readings = this.#readings.get(socket)
    if (!readings) {
      this.#readings.set(socket, { last: now, before: 0, bytes, bytesOfLast: bytes })
      return 0
    }
    if (readings.bytes !== bytes) {
      if (readings.bytesOfLast < READING_MAX) readings.before = readings.last
      readings.last = now
      readings.bytesOfLast = bytes - readings.bytes
      readings.bytes = bytes
    }
    return readings.before
  }
}
