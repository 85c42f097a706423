import { randomUUID } from 'node:crypto'
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http'
import type { FastifyInstance } from 'fastify'
import helmet from 'helmet'
import { Problem } from '../lib/problem.ts'
import { onRequestTo } from './route-hooks.ts'

const WELL_FORMED_ID = /^[\w.:-]{1,128}$/

/** The id of a request: the caller's, when it cannot forge a log line, otherwise a new one. */
export function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && WELL_FORMED_ID.test(given) ? given : randomUUID()
}

/** The headers that helmet sets on `response`. None of them depends on the request. */
function securityHeaders(request: IncomingMessage, response: ServerResponse): OutgoingHttpHeaders {
  const setHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      // What the pages need, and nothing from elsewhere. Whatever is not a page needs none of it.
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // Flowbite draws the tick of a checkbox from its style.
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: false,
  })
  setHeaders(request, response, (error) => {
    if (error) throw error
  })
  return { ...response.getHeaders() }
}

/** Headers that every answer carries (OWASP HTTP Headers Cheat Sheet). */
export function guardAnswers(app: FastifyInstance): void {
  let headers: OutgoingHttpHeaders | undefined
  app.addHook('onRequest', (request, reply, done) => {
    headers ??= {
      ...securityHeaders(request.raw, reply.raw),
      // What a signed-in person reads must not stay in a shared cache; a route may say otherwise.
      'Cache-Control': 'no-store',
    }
    reply.headers(headers).header('X-Request-Id', request.id)
    // Browsers heed this over https only, where it is true that https works.
    if (request.protocol === 'https') {
      reply.header('Strict-Transport-Security', 'max-age=31536000; includeSubDomains')
    }
    const fault = hostFault(request.raw)
    done(fault === undefined ? undefined : new Problem(400, fault))
  })
}

/** A name or an address, or nothing, and a port (RFC 3986 §3.2.2). */
const HOST = /^(?:\[[\da-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)(?::\d*)?$/i

/** HTTP/1.1 asks for one, and no more (RFC 9112 §3.2). Node would refuse none without a word, and pass over a second. */
function hostFault({ headers, rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  if (headers.host === undefined) {
    return httpVersion === '1.1' ? 'The request has no Host.' : undefined
  }
  if (!HOST.test(headers.host)) return 'The Host is not well-formed.'
  const isHost = (text: string, index: number) =>
    index % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host'
  const isSecond = rawHeaders.findIndex(isHost) !== rawHeaders.findLastIndex(isHost)
  return isSecond ? 'The request has more than one Host.' : undefined
}

const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i

/**
 * Leaves of a URL that a client names in full, as it would to a proxy (RFC 9112 §3.2.2), the path: no
 * answer is to name the client's origin as if it were this service's.
 */
export function takePathsOnly(app: FastifyInstance): void {
  const takePath = (request: IncomingMessage) => {
    const { url = '/' } = request
    if (!ORIGIN.test(url)) return
    const path = url.replace(ORIGIN, '')
    request.url = path.startsWith('/') ? path : `/${path}`
  }
  for (const event of ['request', 'checkExpectation']) app.server.prependListener(event, takePath)
}

/**
 * A body must be of a media type that its route names (`schema.consumes`, otherwise JSON), and as it
 * is: nothing is unpacked, so that a small body cannot become a large one (RFC 9110 §15.5.16).
 */
export function guardMediaTypes(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { schema } = route
    if (!schema?.body) return
    onRequestTo(route, ({ headers }, _reply, done) => done(refusalOf(headers, schema.consumes)))
  })
}

const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function refusalOf(
  headers: IncomingHttpHeaders,
  consumed: readonly string[] = ['application/json'],
): Problem | undefined {
  const { 'content-type': given, 'content-encoding': coding = 'identity' } = headers
  if (coding.toLowerCase() !== 'identity') {
    return new Problem(415, 'The body must not be compressed.', {
      headers: { 'Accept-Encoding': 'identity' },
    })
  }
  if (given === undefined && !hasBody(headers)) return undefined
  const mediaType = given?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (consumed.includes(mediaType)) return undefined
  return new Problem(415, `The Content-Type must be ${consumed.join(' or ')}.`, {
    headers: { Accept: consumed.join(', ') },
  })
}
