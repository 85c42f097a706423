import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type ExportSource, exportFile } from './api.ts'

/** The same file for a person, who is led to the sign-in form where needed. */
export const exportPages =
  (source: ExportSource): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { page: true, afterSignIn: '/account' }
    app.get('/export', { config, schema: { hide: true } }, (request, reply) =>
      exportFile(source, request, reply),
    )
  }
