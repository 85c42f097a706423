import type { Server } from 'node:http'
import type { FastifyHttpOptions, FastifyInstance } from 'fastify'

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
      // Fastify sets it later, and Node holds the one above against its own default until then.
      requestTimeout: limits.requestTimeout,
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
