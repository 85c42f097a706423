import accepts from 'accepts'
import type { FastifyRequest } from 'fastify'

/**
 * Whether the caller reads pages rather than JSON (RFC 9110 §12.5.1). One who takes anything gets
 * what the route gives.
 */
export function prefersPage(request: FastifyRequest): boolean {
  const kinds = request.routeOptions.config.page ? ['html', 'json'] : ['json', 'html']
  return accepts(request.raw).type(kinds) === 'html'
}
