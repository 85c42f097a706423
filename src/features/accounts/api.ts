import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Db } from '../../db/tables.ts'
import { callerOf } from '../../http/access.ts'
import { answer, nothing, refusals } from '../../http/docs.ts'
import { User } from '../users/schema.ts'
import * as users from '../users/store.ts'
import { change, erase, type Person } from './actions.ts'
import { AccountDelete, AccountUpdate } from './schema.ts'

interface Options {
  readonly db: Db
  readonly failures: number
  /** Ends the operation ids, which must differ where the routes are mounted twice. */
  readonly suffix?: string
}

export const personOf = (request: FastifyRequest, failures: number): Person => ({
  ...callerOf(request),
  failures,
})

/** The caller's own account. */
export const accountsApi =
  ({ db, failures, suffix = '' }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/me',
      {
        schema: {
          operationId: `getAccount${suffix}`,
          tags: ['account'],
          summary: 'Read the signed-in user',
          response: { 200: answer('The signed-in user.', User) },
        },
      },
      (request) => users.get(db, callerOf(request).id),
    )

    app.patch(
      '/me',
      {
        schema: {
          operationId: `changeAccount${suffix}`,
          tags: ['account'],
          summary: 'Change names, e-mail address or password',
          consumes: ['application/json', 'application/merge-patch+json'],
          body: AccountUpdate,
          response: {
            200: answer('The changed user.', User),
            409: refusals[409],
            429: refusals[429],
          },
        },
      },
      (request) => change(db, personOf(request, failures), request.body),
    )

    app.delete(
      '/me',
      {
        schema: {
          operationId: `removeAccount${suffix}`,
          tags: ['account'],
          summary: 'Erase the account and everything it owns',
          body: AccountDelete,
          response: { 204: nothing('The account is gone.'), 429: refusals[429] },
        },
      },
      async (request, reply) => {
        await erase(db, personOf(request, failures), request.body.password)
        return reply.code(204).send(undefined)
      },
    )
  }
