import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { Problem } from '../lib/problem.ts'
import type { ProblemBody } from '../lib/shapes.ts'
import { uriPath } from './failure.ts'
import { requestId } from './guard.ts'

/** What is answered below Fastify, where no hook runs. */
const problemText = (
  { status, title, detail }: Problem,
  about: Pick<ProblemBody, 'request_id' | 'instance'>,
): string =>
  JSON.stringify({ type: 'about:blank', title, status, detail, ...about } satisfies ProblemBody)

/** What keeps such an answer from being taken for anything else, as in `guardAnswers`. */
const SAFE = {
  'Content-Type': 'application/problem+json',
  'Content-Security-Policy': "default-src 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  // Of a body, or of what else still comes, nothing is known.
  Connection: 'close',
}

/** Answers what expects more than `100-continue`, which Node would refuse without a word. */
export function answerExpectations(app: FastifyInstance): void {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { url = '/', method, socket } = request
    const request_id = requestId(request)
    const problem = new Problem(417, 'Nothing but 100-continue may be expected.')
    response
      .writeHead(problem.status, { ...SAFE, 'X-Request-Id': request_id })
      .end(problemText(problem, { instance: uriPath(url), request_id }))
    const req = { method, originalUrl: url, ip: socket.remoteAddress }
    app.log.info({ request_id, req, res: response }, 'answered')
  }
  app.server.on('checkExpectation', answer)
}

/** What went wrong, by the codes of Node and its parser. */
const PROBLEMS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
  HPE_INVALID_METHOD: [400, 'The request does not begin with a method that this server knows.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
}

/**
 * Answers what is not even HTTP, before there is a request to speak of: which path it is for is not known. The
 * line in the log has nothing that the client wrote.
 */
export const answerMalformed =
  (log: FastifyBaseLogger) =>
  (error: Error & { code?: string }, socket: Socket): void => {
    const { code = '' } = error
    if (code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const problem = new Problem(
      ...(PROBLEMS[code] ?? [400, 'The request is not well-formed HTTP.']),
    )
    const { status, title } = problem
    const request_id = randomUUID()
    const body = problemText(problem, { request_id })
    const headers = {
      ...SAFE,
      'Content-Length': Buffer.byteLength(body),
      'X-Request-Id': request_id,
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`)
    // Browsers open connections that they may not come to need.
    const level = socket.bytesRead > 0 ? 'info' : 'debug'
    const line = { request_id, code, ip: socket.remoteAddress, res: { statusCode: status } }
    log[level](line, 'answered')
  }
