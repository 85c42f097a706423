import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onSendHookHandler,
  preHandlerHookHandler,
  RouteOptions,
} from 'fastify'
import { preconditionFailed } from '../lib/problem.ts'
import { isRecord } from '../lib/record.ts'
import { allows, type Versions } from '../lib/versions.ts'
import { SAFE_METHODS } from './methods.ts'

const tagsOf = (header: string): string[] => header.split(',').map((tag) => tag.trim())

/** Whether it is for any version that there is (RFC 9110 §13.1). */
const isAny = (header: string): boolean => header.trim() === '*'

/**
 * A strong entity tag (RFC 9110 §8.8.3): the version of the thing itself, and of what is nested in
 * the answer.
 */
export const entityTag = (version: number, nested = 0): string => `"${version}.${nested}"`

/**
 * The versions that the request's `If-Match` allows and its `If-None-Match` does not refuse, undefined when
 * any will do. None at all where it is only for what is not there yet (RFC 9110 §13.1.2).
 */
export function allowedVersions({ headers }: FastifyRequest): Versions | undefined {
  const refused = refusedVersions(headers['if-none-match'])
  const header = headers['if-match']
  if (header === undefined || isAny(header)) return refused
  return versionsIn(header).filter((version) => allows(refused, version))
}

/** Unlike `If-Match`, a weak tag names a version too. */
function refusedVersions(header: string | undefined): Versions | undefined {
  if (header === undefined) return undefined
  if (isAny(header)) return []
  return { except: versionsIn(header.replaceAll('W/', '')) }
}

/**
 * The versions that entity tags name. What is nested is not what gets changed, so only the first
 * number counts. A weak tag never matches (RFC 9110 §13.1.1).
 */
export const versionsIn = (tags: string): number[] =>
  tagsOf(tags).flatMap((tag) => {
    const [, version] = /^"(\d{1,15})\.\d{1,15}"$/.exec(tag) ?? []
    return version === undefined ? [] : [Number(version)]
  })

/**
 * Whether the request's `If-Match` is for another answer than this (RFC 9110 §13.1.1: compared strongly). Unlike for
 * a change, what is nested counts: it is read too.
 */
export function isForAnother({ headers }: FastifyRequest, tag: string): boolean {
  const header = headers['if-match']
  return header !== undefined && !isAny(header) && !tagsOf(header).includes(tag)
}

/**
 * Sets the entity tag and says whether the client has this very answer already, in which case the
 * reply is a 304 (RFC 9110 §13.1.2: compared weakly).
 */
export function isNotModified(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.headers({ ETag: tag, 'Cache-Control': 'private, no-cache' })
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  const matches = isAny(header) || tagsOf(header).some((given) => given.replace(/^W\//, '') === tag)
  if (matches) reply.code(304)
  return matches
}

/**
 * Refuses a change that is for some version only, or for what is not there yet, where nothing has a version (RFC 9110
 * §13.1): who guards each change so is not to take this one for guarded. Call it before the first route.
 */
export function refuseConditions(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.page || SAFE_METHODS.has(String(route.method)) || hasVersions(route)) return
    route.preHandler = [refuseCondition, ...[route.preHandler ?? []].flat()]
  })
}

const hasVersions = ({ schema }: RouteOptions): boolean =>
  isRecord(schema?.headers) &&
  isRecord(schema.headers.properties) &&
  'if-match' in schema.headers.properties

const refuseCondition: preHandlerHookHandler = ({ headers }, _reply, done) => {
  const { 'if-match': match = '*', 'if-none-match': noneMatch = '' } = headers
  const isMet = isAny(match) && !isAny(noneMatch)
  done(
    isMet
      ? undefined
      : preconditionFailed(
          'Nothing here has versions. Leave out If-Match and If-None-Match to do it all the same.',
        ),
  )
}

/**
 * Takes from a 304 to a HEAD the length of 0 that Fastify gives it, since that of the answer is another (RFC 9110
 * §8.6). Call it before the routes that answer so.
 */
export function leaveOutLength(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.method === 'HEAD') {
      // Behind Fastify's own, which counts the bytes that are not sent.
      route.onSend = [...[route.onSend ?? []].flat(), withoutLength]
    }
  })
}

const withoutLength: onSendHookHandler = (_request, reply, payload, done) => {
  if (reply.statusCode === 304) reply.removeHeader('Content-Length')
  done(null, payload)
}
