import '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { forbidden, unauthenticated } from '../lib/problem.ts'

/** Who is calling. */
export interface Caller {
  readonly id: number
  readonly is_admin: boolean
  readonly session_id: number
  /** Counts the changes of the caller's account. */
  readonly version: number
}

/** How a caller is known by what the request carries; undefined for nobody. */
export interface Identify {
  byBearerToken(token: string): Promise<Caller | undefined>
  byCookie(cookies: Readonly<Record<string, string | undefined>>): Promise<Caller | undefined>
}

/** Who may use a route. Without a word it is for anyone signed in: the default denies. */
export type Access = 'public' | 'signed-in' | 'administrator'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    caller: Caller | null
  }
}

const CREDENTIALS = 'Invalid authentication credentials'
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Lets a request through to its route, or not, before its body is read. A bearer token counts
 * before a cookie; a cookie may change something only when the page that sent it is ours.
 */
export function controlAccess(app: FastifyInstance, identify: Identify): void {
  app.decorateRequest('caller', null)

  app.addHook('onRequest', async (request) => {
    if (request.is404) return
    const access = request.routeOptions.config.access ?? 'signed-in'
    if (access === 'public') return
    const caller = await callerBy(request, identify)
    if (!caller) throw unauthenticated(CREDENTIALS)
    if (access === 'administrator' && !caller.is_admin) {
      throw forbidden('Only an administrator may do this.')
    }
    request.caller = caller
  })
}

async function callerBy(request: FastifyRequest, identify: Identify): Promise<Caller | undefined> {
  const { authorization } = request.headers
  if (authorization !== undefined) {
    const [, token] = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization) ?? []
    return token === undefined ? undefined : identify.byBearerToken(token)
  }
  const caller = await identify.byCookie(request.cookies)
  if (caller && !SAFE_METHODS.has(request.method) && !isSameOrigin(request)) {
    throw forbidden('A request with a cookie may change something only from this site.')
  }
  return caller
}

/**
 * Whether a browser sent the request from our own page (OWASP CSRF Prevention Cheat Sheet: fetch
 * metadata, with the origin for browsers that lack it). A request that says neither is refused.
 */
function isSameOrigin({ headers, protocol, host }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  return headers.origin === `${protocol}://${host}`
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw unauthenticated(CREDENTIALS)
  return request.caller
}
