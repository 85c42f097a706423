import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { codeOf, hasCode } from '../lib/code.ts'
import {
  type Fault,
  invalid,
  noSuchPath,
  Problem,
  unavailable,
  unreadablePath,
} from '../lib/problem.ts'
import type { ProblemBody } from '../lib/shapes.ts'
import { differsByAccept, prefersPage } from './accepts.ts'
import { type RouteTable, unknownMethodAt } from './methods.ts'
import { oauthError } from './oauth.ts'
import { faultsOf } from './validation.ts'

/** Turns errors of a layer that http does not know, such as the database, into what may be said. */
type Translate = (error: unknown) => Problem | undefined

/** The parts of a request, as Fastify calls them and as a fault's place does. */
const PARTS = [
  ['params', 'path'],
  ['querystring', 'query'],
  ['headers', 'header'],
  ['body', 'body'],
] as const

/** Fastify stops at the first part with a fault; a person wants to know them all at once. */
function allFaults(request: FastifyRequest): Fault[] {
  const values = {
    params: request.params,
    querystring: request.query,
    headers: request.headers,
    body: request.body,
  }
  return PARTS.flatMap(([part, place]) => {
    const validate = request.getValidationFunction(part)
    if (!validate || validate(values[part])) return []
    return faultsOf(validate.errors ?? [], place)
  })
}

/** No file descriptor is left, of this process or of the machine: each connection is one. */
const NO_DESCRIPTOR = /^(EMFILE|ENFILE)$/

/** What may be said of an error. An unknown one is ours, and says nothing of the inside. */
function problemOf(error: unknown, request: FastifyRequest, translate: Translate): Problem {
  if (error instanceof Problem) return error
  // Its code looks like that of a lost database. Nobody is there to read the answer.
  if (error !== null && request.raw.errored === error) {
    return new Problem(400, 'The request was broken off.')
  }
  const translated = translate(error)
  if (translated) return translated
  if (hasCode(error, NO_DESCRIPTOR)) {
    return unavailable('Too many are connected right now. Try again in a moment.', { cause: error })
  }
  if (isFastifyError(error)) {
    if (error.validation) return invalid(...allFaults(request))
    const status = error.statusCode ?? 500
    if (status < 500) return new Problem(status, sentences[error.code] ?? error.message)
  }
  return new Problem(500, 'Something went wrong on the server. It has been logged.', {
    cause: error,
  })
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error

const sentences: Readonly<Record<string, string>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty; JSON was announced.',
  FST_ERR_CTP_INVALID_JSON_BODY:
    'The body is not well-formed JSON, or has a member called __proto__ or constructor.prototype.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The Content-Type is not one that this path takes.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The Content-Length does not fit the body.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is too large.',
}

const NOT_IN_A_PATH = /%(?![0-9A-Fa-f]{2})|[^\w.~!$&'()*+,;=:@%/-]/g

/** The path of a request as RFC 3986 has it, even where the client did not. */
export const uriPath = (url: string): string =>
  (url.split('?', 1)[0] ?? '').replace(NOT_IN_A_PATH, (each) => encodeURIComponent(each))

const bodyOf = (problem: Problem, request: FastifyRequest): ProblemBody => ({
  type: 'about:blank',
  title: problem.title,
  status: problem.status,
  detail: problem.detail,
  instance: uriPath(request.originalUrl),
  request_id: request.id,
  ...(problem.errors && {
    errors: problem.errors.map((fault) => ({ ...fault, loc: [...fault.loc] })),
  }),
  ...(request.routeOptions.config.isOauth && oauthError(problem)),
})

/** A described route keeps to the one shape of failure that its clients were generated for. */
function isDescribed({ routeOptions: { schema } }: FastifyRequest): boolean {
  return schema !== undefined && !schema.hide
}

/**
 * What is ours to mend is logged with its stack. That the database is away takes a line, since every
 * request says it then; that there is too much to do takes none.
 */
function logFailure(problem: Problem, request: FastifyRequest): void {
  const { status, detail, cause } = problem
  if (status === 503) {
    if (cause instanceof Error) {
      request.log.warn({ cause: cause.message, code: codeOf(cause) }, detail)
    }
  } else if (status >= 500) {
    request.log.error({ err: cause ?? problem }, detail)
  }
}

/** No route has a percent sign in its path. */
const NOWHERE = '/%25'

/**
 * Leads a request whose path the router cannot read to where nothing is, to be answered there. At the router's
 * own way out no hook runs, so that it would have no security headers and no line in the log.
 */
export function routeUnreadable(
  _error: FastifyError,
  { server, raw }: FastifyRequest,
  reply: FastifyReply,
): void {
  // The name under which Fastify keeps the URL before it was rewritten.
  server.routing(Object.assign(raw, { originalUrl: raw.url, url: NOWHERE }), reply.raw)
}

const isReadable = ({ url, originalUrl }: FastifyRequest): boolean => url === originalUrl

type AnswerFailure = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void

/** Answers with a page that tells a person of the problem. */
export type SendErrorPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
) => FastifyReply

/**
 * The one place where errors become answers: RFC 9457 problem details, or a page for a browser. Where no
 * route says what a path is of, `isApiPath` says it.
 */
export const failureAnswer =
  (
    translate: Translate,
    sendErrorPage: SendErrorPage,
    isApiPath: (url: string) => boolean,
  ): AnswerFailure =>
  (error, request, reply) => {
    const problem = problemOf(error, request, translate)
    logFailure(problem, request)
    differsByAccept(reply).code(problem.status).headers(problem.headers)
    // Fastify would close the connection here. Closed with something unread it is reset, and a client or
    // proxy that still sends never sees the answer. Node throws the rest away, as with any other refusal.
    if (problem.status === 413 && !request.server.drain.isLeaving) reply.removeHeader('connection')
    const isOfApi = isDescribed(request) || isApiPath(request.originalUrl)
    if (!isOfApi && prefersPage(request)) {
      try {
        sendErrorPage(request, reply, problem)
        return
      } catch (err) {
        // Left to Fastify, the answer would tell of the inside.
        request.log.error({ err }, 'there is no page for a failure')
      }
    }
    reply.type('application/problem+json').serializer(JSON.stringify).send(bodyOf(problem, request))
  }

/** What is wrong where no route is. */
const unknown = (routes: RouteTable, request: FastifyRequest): Problem =>
  isReadable(request) ? (unknownMethodAt(routes, request.url) ?? noSuchPath()) : unreadablePath()

/** Sends every failure of the app, and everything that is not there after all, to `answer`. */
export function answerFailures(
  app: FastifyInstance,
  answer: AnswerFailure,
  routes: RouteTable,
): void {
  app.setErrorHandler(answer)
  app.setNotFoundHandler((request, reply) => answer(unknown(routes, request), request, reply))
}

/**
 * Refuses every path or method that is unknown or unreadable, before the body is read: anyone may send one.
 * Call it behind what sets headers.
 */
export function refuseUnknown(app: FastifyInstance, routes: RouteTable): void {
  app.addHook('onRequest', (request, _reply, done) =>
    done(request.is404 ? unknown(routes, request) : undefined),
  )
}
