import type { Server } from 'node:http'
import type { FastifyHttpOptions, FastifyInstance } from 'fastify'
import { unavailable } from '../lib/problem.ts'

/** What bounds a client. Sizes in bytes, times in milliseconds. */
export interface Limits {
  readonly body: number
  readonly header: number
  readonly headersTimeout: number
  readonly requestTimeout: number
  readonly stallTimeout: number
  readonly keepAliveTimeout: number
  readonly connections: number
  readonly overloadDelay: number
}

/** How often the server looks for requests that take too long to arrive. */
const CHECK_EVERY = 1000

/** The limits that Node and Fastify enforce. */
export const serverLimits = (limits: Limits) =>
  ({
    bodyLimit: limits.body,
    requestTimeout: limits.requestTimeout,
    connectionTimeout: limits.stallTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    http: {
      maxHeaderSize: limits.header,
      // What has no Host is refused with problem details.
      requireHostHeader: false,
      headersTimeout: limits.headersTimeout,
      connectionsCheckingInterval: Math.min(CHECK_EVERY, Math.floor(limits.headersTimeout / 2)),
    },
  }) satisfies FastifyHttpOptions<Server>

/** No form of a person who is not signed in is nearly as long. */
const PUBLIC_BODY_LIMIT = 16 * 1024

/**
 * The limits that go beyond those. Many who are not signed in could otherwise fill the memory with
 * the beginnings of large bodies. Call it before the first route.
 */
export function limitClients(app: FastifyInstance, limits: Limits): void {
  // Without the second, workers of a cluster that are full would hand a connection round.
  Object.assign(app.server, { maxConnections: limits.connections, dropMaxConnection: true })
  // A client that closes its half of the connection behind its request still waits for the answer.
  Object.assign(app.server, { httpAllowHalfOpen: true })
  app.addHook('onRoute', (route) => {
    if (route.config?.access === 'public') {
      route.bodyLimit ??= Math.min(limits.body, PUBLIC_BODY_LIMIT)
    }
  })
}

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
 *
 * What waits for the processor lies unread in sockets and cannot be counted. But a turn of the event
 * loop handles all that came during the one before; so when the one before, and this one so far, have lasted too
 * long, the requests that it comes to now have waited as long.
 */
export function shedLoad(
  app: FastifyInstance,
  { overloadDelay }: Limits,
  longestWait: () => number,
): void {
  /** When the turn before this one began, where nothing but work was between them, and when this one did. */
  let lastBegan: number | undefined
  let thisBegan: number | undefined
  const endTurn = () => {
    lastBegan = thisBegan
    thisBegan = undefined
    // With this to come, the event loop goes on at once.
    if (lastBegan !== undefined) setImmediate(endTurn)
  }
  app.server.prependListener('request', () => {
    if (thisBegan !== undefined) return
    thisBegan = performance.now()
    if (lastBegan === undefined) setImmediate(endTurn)
  })
  const isLate = () =>
    performance.now() - (lastBegan ?? thisBegan ?? Number.POSITIVE_INFINITY) > overloadDelay

  app.addHook('onRequest', (request, _reply, done) => {
    const isOverloaded = isLate() || longestWait() > overloadDelay
    if (!isOverloaded || request.routeOptions.config.isVital) return done()
    done(unavailable('The server has more to do than it can do in time. Try again in a moment.'))
  })
}
