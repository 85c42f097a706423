import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import { allows, type Versions } from '../lib/versions.ts'

/** Header lists come from the network: no more tags than this are looked at. */
const TAGS_MAX = 50

const tagsOf = (header: string): string[] => header.split(',', TAGS_MAX).map((tag) => tag.trim())

/** Whether it is for any version that there is (RFC 9110 §13.1). */
const isAny = (header: string): boolean => header.trim() === '*'

const isTooLong = (header: string): boolean => header.split(',', TAGS_MAX + 1).length > TAGS_MAX

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

/** Unlike `If-Match`, a weak tag names a version too. With more tags than are looked at, no version will do. */
function refusedVersions(header: string | undefined): Versions | undefined {
  if (header === undefined) return undefined
  if (isAny(header) || isTooLong(header)) return []
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
