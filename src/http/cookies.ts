import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The cookie of a signed-in browser; over https it is called `__Host-session`. */
export const SESSION_COOKIE = 'session'

/** The name of a cookie over https. */
export const overHttps = (name: string): string => `__Host-${name}`

/**
 * The name under which a browser keeps our cookie. With the prefix `__Host-` it takes the cookie
 * from this very host over https only, so that no neighbour can plant one (RFC 6265bis §4.1.3.2).
 * Browsers refuse the prefix over http.
 */
const nameOf = ({ protocol }: FastifyRequest, name: string): string =>
  protocol === 'https' ? overHttps(name) : name

/** The cookie's value; undefined where there is none. */
export const readCookie = (request: FastifyRequest, name: string): string | undefined =>
  parseCookie(request.headers.cookie ?? '')[nameOf(request, name)]

interface CookieOptions {
  /** In seconds; without it the cookie goes when the browser is closed. */
  readonly maxAge?: number
  /** Whether the page's own script may read it. */
  readonly readable?: boolean
}

export function writeCookie(
  reply: FastifyReply,
  name: string,
  value: string,
  { maxAge, readable = false }: CookieOptions = {},
): void {
  const cookie = stringifySetCookie({
    name: nameOf(reply.request, name),
    value,
    path: '/',
    httpOnly: !readable,
    sameSite: 'lax',
    secure: reply.request.protocol === 'https',
    ...(maxAge === undefined ? {} : { maxAge }),
  })
  // Beside those that are set already: this header alone does not replace the one before it.
  reply.header('Set-Cookie', cookie)
}

export const removeCookie = (reply: FastifyReply, name: string): void =>
  writeCookie(reply, name, '', { maxAge: 0 })
