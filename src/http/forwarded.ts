import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** An IPv4 address, or one of IPv6 in brackets, with the port that some proxies write behind it (RFC 7239 §6). */
const WITH_PORT = /^(?:([\d.]+)|\[([^\]]+)\])(?::\d+)?$/

/**
 * Takes of what proxies say only what names a client: of `X-Forwarded-For` the addresses without their ports, each
 * of which would else be another client, and of those only what is nearer than one that is unknown or hidden; of
 * `X-Forwarded-Proto` http and https, in whatever case (RFC 3986 §3.1). Call it where proxies are trusted.
 */
export function readForwarded(app: FastifyInstance): void {
  app.server.prependListener('request', ({ headers }: IncomingMessage) => {
    put(headers, 'x-forwarded-for', addressesOf(headers['x-forwarded-for']))
    put(headers, 'x-forwarded-proto', schemeOf(headers['x-forwarded-proto']))
  })
}

const lastFirst = (header: IncomingHttpHeaders[string]): string[] =>
  String(header ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .reverse()

function addressesOf(header: IncomingHttpHeaders[string]): string | undefined {
  const addresses: string[] = []
  for (const entry of lastFirst(header)) {
    const [, ipv4, ipv6] = WITH_PORT.exec(entry) ?? []
    const address = ipv4 ?? ipv6 ?? entry
    if (isIP(address) === 0) break
    addresses.unshift(address)
  }
  return addresses.join(', ') || undefined
}

function schemeOf(header: IncomingHttpHeaders[string]): string | undefined {
  const [scheme = ''] = lastFirst(header)
  return /^https?$/i.test(scheme) ? scheme.toLowerCase() : undefined
}

function put(headers: IncomingHttpHeaders, name: string, value: string | undefined): void {
  if (value === undefined) delete headers[name]
  else headers[name] = value
}
