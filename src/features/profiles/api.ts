import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Db } from '../../db/tables.ts'
import { callerOf } from '../../http/access.ts'
import { answer, refusals } from '../../http/docs.ts'
import { notFound } from '../../lib/problem.ts'
import { closed, Id } from '../../lib/shapes.ts'
import * as todos from '../todos/list-store.ts'
import * as users from '../users/store.ts'
import { Profile, TODOS_MAX } from './schema.ts'

const BY_ID = { sort: 'id', descending: false } as const

/** A user together with their todos. */
export const profilesApi =
  ({ db }: { readonly db: Db }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/:id',
      {
        schema: {
          operationId: 'getUser',
          tags: ['users'],
          summary: 'Read a user with their todos (oneself, or anyone for an administrator)',
          params: closed({ id: Id }),
          response: { 200: answer('The user.', Profile), 404: refusals[404] },
        },
      },
      async (request) => {
        const caller = callerOf(request)
        const { id } = request.params
        if (id !== caller.id && !caller.is_admin) throw notFound('User')
        const [user, page, total] = await Promise.all([
          users.get(db, id),
          todos.list(db, id, {}, BY_ID, { offset: 0 }, TODOS_MAX),
          todos.count(db, id),
        ])
        return { ...user, todos: page, todos_total: total }
      },
    )
  }
