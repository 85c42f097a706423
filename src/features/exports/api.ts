import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Db } from '../../db/tables.ts'
import { callerOf } from '../../http/access.ts'
import { answer, refusals } from '../../http/docs.ts'
import { Problem } from '../../lib/problem.ts'
import { exportOf } from './actions.ts'
import { Export } from './schema.ts'
import type { ExportsUnderWay } from './under-way.ts'

/** What the routes of exports need. */
export interface ExportSource {
  readonly db: Db
  readonly underWay: ExportsUnderWay
}

/** All data of the caller's account, to be answered as a file. */
export async function exportFile(
  { db, underWay }: ExportSource,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Readable> {
  const caller = callerOf(request)
  // To HEAD nothing is read.
  const end = request.method === 'HEAD' ? () => {} : underWay.begin(caller.id)
  const pieces = await exportOf(db, caller).catch((error) => {
    end()
    throw error
  })
  const day = new Date().toISOString().slice(0, 10)
  reply
    .type('application/json; charset=utf-8')
    .header('Content-Disposition', `attachment; filename="todo-app-${day}.json"`)
  // The answer has begun, so the reader can only be cut off; the log must tell why.
  return Readable.from(request.method === 'HEAD' ? [] : inBytes(pieces))
    .once('error', (err) => {
      if (err instanceof Problem) request.log.info(`An export was cut off: ${err.detail}`)
      else request.log.error({ err }, 'An export broke off.')
    })
    .once('close', end)
}

/**
 * Of text that is longer in bytes than in characters, Node may forget to say that there is room for more, to a reader who
 * has stopped for a while (nodejs/node#62936 is about such a count).
 */
async function* inBytes(pieces: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield Buffer.from(piece)
}

/** A stream of such a text; Fastify sends it as it comes. */
const Streamed = Type.Unsafe<Readable>(Export)

/** All data of the caller's account, for programs. */
export const exportsApi =
  (source: ExportSource): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/me/export',
      {
        schema: {
          operationId: 'exportAccount',
          tags: ['account'],
          summary: 'Read everything of the account as one file',
          response: {
            429: refusals[429],
            200: answer('All data of the account.', Streamed, {
              'Content-Disposition': Type.String({
                description: 'The name of the file.',
                examples: ['attachment; filename="todo-app-2026-01-31.json"'],
              }),
            }),
          },
        },
      },
      (request, reply) => exportFile(source, request, reply),
    )
  }
