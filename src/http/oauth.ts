import type { FastifyInstance } from 'fastify'
import type { Problem } from '../lib/problem.ts'
import { isRecord } from '../lib/record.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on the endpoints of OAuth 2.0, whose clients know failures by a code. */
    isOauth?: boolean
  }
}

interface OauthError {
  readonly error: string
  readonly error_description: string
}

const NOT_IN_A_DESCRIPTION = /[^ !#-[\]-~]/g

/** What a client of OAuth 2.0 looks for in a failure; nothing where it is not the client's (RFC 6749 §5.2). */
export function oauthError({ status, detail, errors = [] }: Problem): OauthError | undefined {
  if (status === 429 || status >= 500) return undefined
  const isOtherGrant = errors.some(
    ({ loc, type }) => loc[1] === 'grant_type' && type === 'not_allowed',
  )
  return {
    error: isOtherGrant
      ? 'unsupported_grant_type'
      : status === 401
        ? 'invalid_grant'
        : 'invalid_request',
    error_description: detail.replace(NOT_IN_A_DESCRIPTION, '?'),
  }
}

/** Takes a parameter without a value for one that is absent (RFC 6749 §3.2), on the routes mounted in `app`. */
export function leaveOutEmpty(app: FastifyInstance): void {
  app.addHook('preValidation', (request, _reply, done) => {
    const { body } = request
    if (isRecord(body)) {
      request.body = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== ''))
    }
    done()
  })
}
