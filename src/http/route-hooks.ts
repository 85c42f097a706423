import type { onRequestHookHandler, RouteOptions } from 'fastify'

/**
 * Adds what is done first for a route, behind what is done for all. Decided once, when the route is mounted,
 * it costs the other routes nothing; `request.routeOptions` is made anew each time that it is read.
 */
export function onRequestTo(route: RouteOptions, handler: onRequestHookHandler): void {
  route.onRequest = [...[route.onRequest ?? []].flat(), handler]
}
