import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Db } from '../../db/tables.ts'
import { answer, refusals } from '../../http/docs.ts'
import {
  linkHeader,
  links,
  offsetLinks,
  type PageSizes,
  pageQuery,
  TotalCount,
} from '../../lib/paging.ts'
import { forbidden } from '../../lib/problem.ts'
import { closed } from '../../lib/shapes.ts'
import { signUp } from './actions.ts'
import { User, UserCreate } from './schema.ts'
import * as users from './store.ts'

interface Options {
  readonly db: Db
  readonly signup: 'open' | 'closed'
  readonly pageSizes: PageSizes
}

/** Signing up, and the list of users for administrators. */
export const usersApi =
  ({ db, signup, pageSizes }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/',
      {
        config: { access: 'administrator' },
        schema: {
          operationId: 'listUsers',
          tags: ['users'],
          summary: 'List all users (administrators)',
          querystring: closed(pageQuery(pageSizes)),
          response: {
            200: answer('A page of users, the oldest account first.', Type.Array(User), {
              'X-Total-Count': TotalCount,
              Link: linkHeader(app.prefix),
            }),
          },
        },
      },
      async (request, reply) => {
        const { offset = 0, limit } = request.query
        const [page, total] = await Promise.all([
          users.list(db, { offset, limit }),
          users.count(db),
        ])
        reply.header('X-Total-Count', total)
        reply.header('Link', links(request.url, offsetLinks({ offset, limit, total })))
        return page
      },
    )

    app.post(
      '/signup',
      {
        config: { access: 'public' },
        schema: {
          operationId: 'signUp',
          tags: ['users'],
          summary: 'Make an account',
          body: UserCreate,
          response: {
            201: answer('The new user.', User),
            403: refusals[403],
            409: refusals[409],
          },
        },
      },
      async (request, reply) => {
        if (signup === 'closed')
          throw forbidden('Signing up is closed here. Ask the operator for an account.')
        return reply.code(201).send(await signUp(db, request.body))
      },
    )
  }
