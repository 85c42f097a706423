import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'

const PAGE = 'text/html'
const JSON_TYPE = 'application/json'

/**
 * Whether the caller reads pages rather than JSON (RFC 9110 §12.5.1). One who takes anything gets
 * what the route gives.
 */
export function prefersPage(request: FastifyRequest): boolean {
  const types = request.routeOptions.config.page ? [PAGE, JSON_TYPE] : [JSON_TYPE, PAGE]
  return new Negotiator(request.raw).mediaType(types) === PAGE
}

/** Says that the answer differs by that, beside what it differs by already. */
export const differsByAccept = (reply: FastifyReply): FastifyReply =>
  reply.header('Vary', [reply.getHeader('Vary') ?? [], 'Accept'].flat().join(', '))

/**
 * Whether somebody is shown the answer. HEAD asks for the headers alone, and what a browser fetches ahead
 * of time may never be opened: neither must change anything (RFC 9110 §9.2.1).
 */
export const isShown = ({ method, headers }: FastifyRequest): boolean =>
  method !== 'HEAD' && (headers['sec-purpose'] ?? headers.purpose) === undefined
