// An import of `node:http` would also load Node's WebSocket client, which takes 20 ms of a start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** One fault of a request: where it is, what is wrong, and a stable name for the kind of fault. */
export interface Fault {
  readonly loc: ReadonlyArray<string | number>
  readonly msg: string
  readonly type: string
}

interface ProblemDetails {
  readonly headers?: Readonly<Record<string, string>>
  readonly errors?: readonly Fault[]
  readonly cause?: unknown
}

/**
 * A refusal that the caller may read, in the terms of RFC 9457. Throw one anywhere; the one error
 * handler turns it into the answer. `detail` is a sentence for a person and never names internals.
 */
export class Problem extends Error {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly headers: Readonly<Record<string, string>>
  readonly errors: readonly Fault[] | undefined

  constructor(status: number, detail: string, { headers, errors, cause }: ProblemDetails = {}) {
    super(detail, { cause })
    this.name = 'Problem'
    this.status = status
    this.title = STATUS_CODES[status] ?? 'Error'
    this.detail = detail
    this.headers = headers ?? {}
    this.errors = errors
  }
}

/** 401 with the challenge that RFC 6750 asks for. */
export const unauthenticated = (detail: string) =>
  new Problem(401, detail, { headers: { 'WWW-Authenticate': 'Bearer' } })

export const forbidden = (detail: string) => new Problem(403, detail)

export const notFound = (what: string) => new Problem(404, `${what} not found`)

export const noSuchPath = () => new Problem(404, 'There is nothing at this path.')

export const unreadablePath = () => new Problem(400, 'The path is not well-formed.')

export const conflict = (detail: string) => new Problem(409, detail)

/** 412: the current entity tag is not one that `If-Match` or `If-None-Match` allows (RFC 9110 §13.1). */
export const preconditionFailed = (detail: string) => new Problem(412, detail)

/** 422 with every fault and its place. */
export function invalid(...errors: Fault[]): Problem {
  const detail =
    errors.length === 1 && errors[0]
      ? `${errors[0].loc.slice(1).join('.') || errors[0].loc[0]}: ${errors[0].msg}`
      : `The request has ${errors.length} faults; see errors.`
  return new Problem(422, detail, { errors })
}

/** The fault of a field of a query or a form that is there several times where one is meant. */
export const repeatedAt = (loc: Fault['loc']): Fault => ({
  loc,
  msg: 'must be given only once',
  type: 'repeated',
})

/** 429; `retryAfter` in seconds, at least one. */
export const tooManyRequests = (detail: string, retryAfter: number) =>
  new Problem(429, detail, {
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) },
  })

/** 503; the caller may try again after `retryAfter` seconds. */
export const unavailable = (
  detail: string,
  { retryAfter = 1, cause }: { retryAfter?: number; cause?: unknown } = {},
) => new Problem(503, detail, { headers: { 'Retry-After': String(retryAfter) }, cause })
