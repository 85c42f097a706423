import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Db } from '../../db/tables.ts'
import { FORM } from '../../http/bodies.ts'
import { answer, nothing, refusals } from '../../http/docs.ts'
import { leaveOutEmpty } from '../../http/oauth.ts'
import { type Fault, invalid } from '../../lib/problem.ts'
import { refresh, revoke, type SignInRules, signIn } from './actions.ts'
import { RevokeRequest, TokenRequest, Tokens } from './schema.ts'

const missing = (field: string): Fault => ({
  loc: ['body', field],
  msg: 'is required',
  type: 'missing',
})

interface Options {
  readonly db: Db
  readonly rules: SignInRules
  /** Ends the operation ids, which must differ where the routes are mounted twice. */
  readonly suffix?: string
}

/** Signing in and out with tokens (RFC 6749, RFC 7009). */
export const sessionsApi =
  ({ db, rules, suffix = '' }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { access: 'public', isOauth: true } as const
    leaveOutEmpty(app)

    app.post(
      '/token',
      {
        config,
        schema: {
          operationId: `createToken${suffix}`,
          tags: ['sessions'],
          summary: 'Sign in, or trade a refresh token for a new pair',
          consumes: [FORM],
          body: TokenRequest,
          response: {
            200: answer('A new pair of tokens.', Tokens),
            401: refusals[401],
            429: refusals[429],
          },
        },
      },
      async ({ body, ip, headers }) => {
        if (body.grant_type === 'refresh_token') {
          if (body.refresh_token === undefined) throw invalid(missing('refresh_token'))
          return refresh(db, rules, body.refresh_token)
        }
        const { username: email, password } = body
        if (email === undefined || password === undefined) {
          throw invalid(
            ...(email === undefined ? [missing('username')] : []),
            ...(password === undefined ? [missing('password')] : []),
          )
        }
        return signIn(db, rules, {
          email: email.trim(),
          password,
          address: ip,
          userAgent: headers['user-agent'],
        })
      },
    )

    app.post(
      '/revoke',
      {
        config,
        schema: {
          operationId: `revokeToken${suffix}`,
          tags: ['sessions'],
          summary: 'Sign out: end the session of a token',
          consumes: [FORM],
          body: RevokeRequest,
          response: { 200: nothing('The token is good no more, if it ever was.') },
        },
      },
      async ({ body }, reply) => {
        await revoke(db, rules, body.token)
        return reply.send(undefined)
      },
    )
  }
