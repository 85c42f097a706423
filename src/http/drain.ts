import { Server as NetServer, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How a server stops without failing a request. */
export interface Drain {
  /** Says on `/ready` that this server will go, and asks clients to connect anew, while it serves on. */
  announce(): void
  /**
   * Takes no new connection and gives when the last one is closed: after its open request, or when
   * nothing came by it for a second.
   */
  finish(): Promise<void>
  readonly isAnnounced: boolean
  /** Whether answers ask clients to connect anew. */
  readonly isLeaving: boolean
  /** How many requests came so far. */
  readonly requests: number
}

/**
 * A connection that was used a moment ago may bring its next request while it is being closed, and
 * that request would fail. So one that is in use closes with an answer, which says so.
 */
const QUIET = 1000
const LOOK_EVERY = 50

interface Use {
  open: number
  since: number
}

/** Watches the connections of `app`; call it before the first route. */
export function drainable(app: FastifyInstance): Drain {
  const uses = new Map<Socket, Use>()
  let isAnnounced = false
  let isLeaving = false
  let requests = 0

  const watch = (socket: Socket): Use => {
    const known = uses.get(socket)
    if (known) return known
    const use = { open: 0, since: performance.now() }
    // An injected request has no connection.
    if (!(socket instanceof Socket)) return use
    uses.set(socket, use)
    socket.once('close', () => uses.delete(socket))
    return use
  }
  app.server.on('connection', watch)

  app.addHook('onRequest', (request, reply, done) => {
    requests++
    const use = watch(request.raw.socket)
    use.open++
    reply.raw.on('close', () => {
      use.open--
      use.since = performance.now()
    })
    if (isLeaving) reply.header('Connection', 'close')
    done()
  })

  const announce = () => {
    isAnnounced = true
    isLeaving = true
  }
  app.addHook('preClose', async () => announce())

  return {
    announce,
    async finish() {
      isLeaving = true
      // The HTTP server's own `close` would also cut the connections that are between two requests.
      NetServer.prototype.close.call(app.server)
      while (uses.size > 0) {
        const idleBefore = performance.now() - QUIET
        for (const [socket, { open, since }] of uses) {
          if (open === 0 && since < idleBefore) socket.destroySoon()
        }
        await delay(LOOK_EVERY)
      }
    },
    get isAnnounced() {
      return isAnnounced
    },
    get isLeaving() {
      return isLeaving
    },
    get requests() {
      return requests
    },
  }
}
