import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preValidationHookHandler,
} from 'fastify'
import { nextTo } from '../lib/local-path.ts'
import { conflict, forbidden, unauthenticated } from '../lib/problem.ts'
import { readCookie, SESSION_COOKIE } from './cookies.ts'
import { SAFE_METHODS } from './methods.ts'

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
  /** By the secret in the session's cookie. */
  byCookie(secret: string): Promise<Caller | undefined>
}

/** Who may use a route. Without a word it is for anyone signed in: the default denies. */
type Access = 'public' | 'signed-in' | 'administrator'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** A page for people: who is not signed in is led to the sign-in form, not refused. */
    page?: boolean
    /** The page to which the sign-in form leads, where it is not the route itself. */
    afterSignIn?: string
  }
  interface FastifyRequest {
    caller: Caller | null
    /** When the caller was looked up last, by `performance.now`. */
    lookedUpAt: number
  }
}

/** A body that takes longer than so many milliseconds to come is no longer of who began to send it, if their session ends. */
const SOON = 1000

const CREDENTIALS = 'Invalid authentication credentials'
const OF_ANOTHER =
  'Somebody else has signed in here since the page was opened. It was not for them, so nothing was done.'

/** Names the user that a page was drawn for: its calls are not for whoever is signed in by now. */
const PAGE_USER = 'x-page-user'
/** The same in a form, which sets no header. A form without it is taken as it is. */
export const PAGE_USER_FIELD = 'page_user'

/**
 * Lets a request through to its route, or not, before its body is read. A bearer token counts
 * before a cookie; a cookie may change something only when the page that sent it is ours, and so
 * may a form, also one that signs in (login CSRF).
 */
export function controlAccess(app: FastifyInstance, identify: Identify): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('lookedUpAt', 0)

  const lookUp = async (request: FastifyRequest, reply: FastifyReply) => {
    const { access, page = false, afterSignIn } = request.routeOptions.config
    const caller = await callerBy(request, identify)
    if (!caller && page) {
      const isReading = SAFE_METHODS.has(request.method)
      const next = nextTo(afterSignIn ?? (isReading ? request.url : pageOf(request)), '/home')
      const said = { next, ...(isReading ? {} : { unsaved: 'true' }) }
      return reply.redirect(`/login?${new URLSearchParams(said)}`)
    }
    if (!caller) throw unauthenticated(CREDENTIALS)
    if (access === 'administrator' && !caller.is_admin) {
      throw forbidden('Only an administrator may do this.')
    }
    request.caller = caller
    request.lookedUpAt = performance.now()
  }
  const lookUpAgain: preValidationHookHandler = (request, reply, done) => {
    if (!request.caller || performance.now() - request.lookedUpAt < SOON) return done()
    lookUp(request, reply).then(() => !reply.sent && done(), done)
  }

  app.addHook('onRequest', async (request, reply) => {
    const { access, page = false } = request.routeOptions.config
    if (page && !SAFE_METHODS.has(request.method) && isFromElsewhere(request)) {
      throw forbidden('This form was sent from another site.')
    }
    if (access !== 'public') return lookUp(request, reply)
  })

  app.addHook('onRoute', (route) => {
    const { access, page = false } = route.config ?? {}
    if (access === 'public' || SAFE_METHODS.has(String(route.method))) return
    const first = page ? [lookUpAgain, takePageUser] : [lookUpAgain]
    route.preValidation = [...first, ...[route.preValidation ?? []].flat()]
  })
}

/** The page that a form is on: its path begins with that of the page. */
const pageOf = ({ url }: FastifyRequest): string => `/${url.split(/[/?]/, 2)[1]}`

/** Takes out of a form for whom its page was drawn, and refuses it where that is not the caller. */
const takePageUser: preValidationHookHandler = (request, _reply, done) => {
  const { body } = request
  if (typeof body !== 'object' || body === null || !(PAGE_USER_FIELD in body)) return done()
  const { [PAGE_USER_FIELD]: pageUser, ...rest } = body
  request.body = rest
  const isCallers = String(pageUser) === String(callerOf(request).id)
  done(isCallers ? undefined : conflict(OF_ANOTHER))
}

async function callerBy(request: FastifyRequest, identify: Identify): Promise<Caller | undefined> {
  const { authorization } = request.headers
  if (authorization !== undefined) {
    const [, token] = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization) ?? []
    return token === undefined ? undefined : identify.byBearerToken(token)
  }
  const secret = readCookie(request, SESSION_COOKIE)
  const caller = secret ? await identify.byCookie(secret) : undefined
  const pageUser = request.headers[PAGE_USER]
  if (pageUser !== undefined && pageUser !== String(caller?.id)) return undefined
  if (caller && !SAFE_METHODS.has(request.method) && !isSameOrigin(request)) {
    throw forbidden('A request with a cookie may change something only from this site.')
  }
  return caller
}

/** Whether a URL is of this site. Ports that need not be written, and case, make no other (RFC 9110 §4.2.3). */
function isOfThisSite({ protocol, host }: FastifyRequest, url: string): boolean {
  const own = `${protocol}://${host}`
  return URL.canParse(own) && URL.canParse(url) && new URL(own).origin === new URL(url).origin
}

/**
 * Whether a browser sent the request from our own page (OWASP CSRF Prevention Cheat Sheet: fetch
 * metadata, with the origin for browsers that lack it). A request that says neither is refused.
 */
function isSameOrigin(request: FastifyRequest): boolean {
  const { 'sec-fetch-site': site, origin } = request.headers
  if (site !== undefined) return site === 'same-origin'
  return origin !== undefined && isOfThisSite(request, origin)
}

/**
 * Whether a browser says that another site's page sent the request. A person who typed the address
 * comes from nowhere, and other clients say nothing.
 */
function isFromElsewhere(request: FastifyRequest): boolean {
  const { 'sec-fetch-site': site, origin } = request.headers
  return (site ?? origin) !== undefined && site !== 'none' && !isSameOrigin(request)
}

/**
 * Whether no link elsewhere can have led here. Over plain http browsers send no fetch metadata, and with a link no
 * origin: only the page that it was on, and not that either where the page forbids it. All browsers call
 * themselves Mozilla.
 */
export function isOwnLink(request: FastifyRequest): boolean {
  const { 'sec-fetch-site': site, referer, 'user-agent': client = '' } = request.headers
  if (isFromElsewhere(request)) return false
  if (site !== undefined) return true
  return referer === undefined ? !client.startsWith('Mozilla/') : isOfThisSite(request, referer)
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw unauthenticated(CREDENTIALS)
  return request.caller
}
