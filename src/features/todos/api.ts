import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Db } from '../../db/tables.ts'
import { callerOf } from '../../http/access.ts'
import {
  allowedVersions,
  entityTag,
  isForAnother,
  isNotModified,
  leaveOutLength,
} from '../../http/conditional.ts'
import { answer, nothing, refusals } from '../../http/docs.ts'
import { linkHeader, links, type PageSizes, TotalCount } from '../../lib/paging.ts'
import { preconditionFailed } from '../../lib/problem.ts'
import { closed, Id } from '../../lib/shapes.ts'
import { IdempotencyKey } from '../idempotency-keys/schema.ts'
import * as todos from './actions.ts'
import { Todo, TodoCreate, TodoReplace, TodoUpdate, TodoWithOwner, todoQuery } from './schema.ts'

const tags = ['todos']
const params = closed({ id: Id })
const ETag = Type.String({
  description: 'The version, for If-Match and If-None-Match.',
  examples: ['"1.1"'],
})
const tagList = (description: string) =>
  Type.Optional(Type.String({ maxLength: 1000, description }))
const readConditions = Type.Object({
  'if-match': tagList('Answer 412 when this is not the version (RFC 9110 §13.1.1).'),
  'if-none-match': tagList('Answer 304 when this is the version (RFC 9110 §13.1.2).'),
})
const writeConditions = Type.Object({
  'if-match': tagList('Do it only to this version, as `"1.1"` (RFC 9110 §13.1.1).'),
  'if-none-match': tagList('Do it to any version but this (RFC 9110 §13.1.2).'),
})

const changed = {
  200: answer('The todo as it is now.', Todo, { ETag }),
  404: refusals[404],
}

interface Options {
  readonly db: Db
  readonly pageSizes: PageSizes
}

/** The caller's todos. Another's are not found. */
export const todosApi =
  ({ db, pageSizes }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    leaveOutLength(app)
    app.get(
      '/',
      {
        schema: {
          operationId: 'listTodos',
          tags,
          summary: 'List todos',
          querystring: todoQuery(pageSizes),
          response: {
            200: answer('A page of todos.', Type.Array(Todo), {
              'X-Total-Count': TotalCount,
              Link: linkHeader(app.prefix),
            }),
          },
        },
      },
      async (request, reply) => {
        const { page, total, relations } = await todos.list(db, callerOf(request), request.query)
        reply.headers({ 'X-Total-Count': total, Link: links(request.url, relations) })
        return page
      },
    )

    app.post(
      '/',
      {
        schema: {
          operationId: 'createTodo',
          tags,
          summary: 'Add a todo',
          headers: Type.Object({ 'idempotency-key': IdempotencyKey }),
          body: TodoCreate,
          response: {
            201: answer('The new todo.', Todo, {
              ETag,
              Location: Type.String({ format: 'uri-reference', examples: [`${app.prefix}/1`] }),
            }),
            409: refusals[409],
          },
        },
      },
      async (request, reply) => {
        const key = request.headers['idempotency-key']
        const todo = await todos.create(db, callerOf(request), request.body, { key })
        return reply
          .code(201)
          .headers({
            ETag: entityTag(todo.version, todo.owner_version),
            Location: `${app.prefix}/${todo.id}`,
          })
          .send(todo)
      },
    )

    app.get(
      '/:id',
      {
        schema: {
          operationId: 'getTodo',
          tags,
          summary: 'Read a todo with its owner',
          params,
          headers: readConditions,
          response: {
            200: answer('The todo.', TodoWithOwner, { ETag }),
            304: nothing('The client has this version already.', { ETag }),
            404: refusals[404],
            412: refusals[412],
          },
        },
      },
      async (request, reply) => {
        const todo = await todos.getWithOwner(db, callerOf(request).id, request.params.id)
        const tag = entityTag(todo.version, todo.owner_version)
        if (isForAnother(request, tag)) throw preconditionFailed(todos.OTHER_VERSION)
        return isNotModified(request, reply, tag)
          ? reply.send(undefined)
          : reply.code(200).send(todo)
      },
    )

    app.put(
      '/:id',
      {
        schema: {
          operationId: 'replaceTodo',
          tags,
          summary: 'Replace a todo',
          params,
          headers: writeConditions,
          body: TodoReplace,
          response: changed,
        },
      },
      async (request, reply) => {
        const caller = callerOf(request)
        const todo = await todos.replace(
          db,
          caller.id,
          request.params.id,
          request.body,
          allowedVersions(request),
        )
        return reply.header('ETag', entityTag(todo.version, caller.version)).send(todo)
      },
    )

    app.patch(
      '/:id',
      {
        schema: {
          operationId: 'changeTodo',
          tags,
          summary: 'Change a todo (RFC 7396 merge patch)',
          consumes: ['application/json', 'application/merge-patch+json'],
          params,
          headers: writeConditions,
          body: TodoUpdate,
          response: changed,
        },
      },
      async (request, reply) => {
        const caller = callerOf(request)
        const todo = await todos.change(
          db,
          caller.id,
          request.params.id,
          request.body,
          allowedVersions(request),
        )
        return reply.header('ETag', entityTag(todo.version, caller.version)).send(todo)
      },
    )

    app.delete(
      '/:id',
      {
        schema: {
          operationId: 'removeTodo',
          tags,
          summary: 'Delete a todo',
          params,
          headers: writeConditions,
          response: { 204: nothing('The todo is gone.'), 404: refusals[404] },
        },
      },
      async (request, reply) => {
        await todos.remove(db, callerOf(request).id, request.params.id, allowedVersions(request))
        return reply.code(204).send(undefined)
      },
    )
  }
