import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { METHODS } from './methods.ts'

/** What the document of the API says of an answer beside its body. A script may read by itself what any answer has. */
const EXPOSED = [
  'Accept',
  'Accept-Encoding',
  'Allow',
  'Content-Disposition',
  'ETag',
  'Link',
  'Location',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
  'X-Total-Count',
]

/** Lets scripts of these origins call the API, with tokens and not with cookies. Call it before the first route. */
export async function shareWith(app: FastifyInstance, origins: string[]): Promise<void> {
  await app.register(cors, {
    origin: origins,
    methods: [...METHODS],
    exposedHeaders: EXPOSED,
    maxAge: 600,
    // The package takes every OPTIONS for a preflight, and gives a 204 a length (RFC 9110 §8.6).
    strictPreflight: false,
    preflightContinue: true,
  })
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers } = request
    if (method !== 'OPTIONS') return done()
    const isPreflight =
      headers.origin !== undefined && headers['access-control-request-method'] !== undefined
    // Also where nothing is: the request that follows is then answered in words that the script may read.
    if (isPreflight) reply.code(204).send()
    // The package's own route for OPTIONS, which is on every path that has none.
    else if (request.routeOptions.url === '*') reply.callNotFound()
    else done()
  })
}
