import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Db } from '../../db/tables.ts'
import { exportFile } from './api.ts'

/** The same file for a person, who is led to the sign-in form where needed. */
export const exportPages =
  ({ db }: { readonly db: Db }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { page: true, afterSignIn: '/account' }
    app.get('/export', { config, schema: { hide: true } }, (request, reply) =>
      exportFile(db, request, reply),
    )
  }
