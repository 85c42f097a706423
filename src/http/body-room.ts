import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import { unavailable } from '../lib/problem.ts'
import { SAFE_METHODS } from './methods.ts'
import { onRequestTo } from './route-hooks.ts'

/** Bodies up to this size are not counted: how many connections there may be bounds them. */
const SMALL = 16 * 1024
/** So many bytes of larger bodies may be under way in a process. One that is larger itself may come alone. */
const ROOM = 64 * 1024 * 1024

/**
 * Refuses large bodies before they are read (503) while those under way have filled the room for them. Many of them that are held
 * open would otherwise fill the memory. Call it before the first route.
 */
export function boundBodies(app: FastifyInstance): void {
  let underWay = 0
  const takeRoom: onRequestHookHandler = (request, reply, done) => {
    const size = announced(request)
    // Of a client that has gone meanwhile, nothing would give it back.
    if (size <= SMALL || reply.raw.destroyed) return done()
    if (underWay > 0 && underWay + size > ROOM) {
      return done(unavailable('Too many large bodies are on their way. Try again in a moment.'))
    }
    underWay += size
    // It comes in any case: when the answer is over, or when the connection is.
    reply.raw.once('close', () => {
      underWay -= size
    })
    done()
  }
  app.addHook('onRoute', (route) => {
    // To what reads none, Fastify reads none.
    if (!SAFE_METHODS.has(String(route.method))) onRequestTo(route, takeRoom)
  })
}

/** How many bytes of a body a request can hold: those that it names, or else as many as its route takes. */
function announced({ headers, routeOptions }: FastifyRequest): number {
  const { 'content-length': length } = headers
  const limit = routeOptions.bodyLimit ?? 0
  if (length !== undefined) return Math.min(Number(length), limit)
  return headers['transfer-encoding'] === undefined ? 0 : limit
}
