import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { arrival, beginArrival } from '../lib/arrivals.ts'

/**
 * Tells requests apart from those before them on the same connection, whose answers the client did not wait for (RFC
 * 9112 §9.3.2). Read with them, one may have been sent long after what arrived first, so it is a later arrival.
 */
export function tellPipelinedApart(app: FastifyInstance): void {
  const last = new WeakMap<Socket, number>()
  app.server.prependListener('request', ({ socket }) => {
    if (last.get(socket) === arrival()) beginArrival()
    last.set(socket, arrival())
  })
}
