import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { unavailable } from '../lib/problem.ts'
import { closed } from '../lib/shapes.ts'
import { differsByAccept, prefersPage } from './accepts.ts'
import { answer, nothing } from './docs.ts'

interface Options {
  readonly name: string
  readonly version: string
  /** What is missing before requests can be served; throws when the database does not answer. */
  readonly missing: () => Promise<string[]>
}

const Health = closed({ name: Type.String(), version: Type.String() }, { title: 'Health' })
const Greeting = closed({ msg: Type.String() }, { title: 'Greeting' })

/** For people who come by, and for the machines that ask whether the service lives and can serve. */
export const healthRoutes =
  ({ name, version, missing }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { access: 'public' as const }
    const vital = { ...config, isVital: true }
    const tags = ['health']

    app.get(
      '/',
      {
        config,
        schema: {
          operationId: 'greet',
          tags,
          summary: 'Where to go from here',
          description: 'A browser is led to the pages.',
          response: {
            200: answer('A greeting.', Greeting),
            302: nothing('To the pages.', { Location: Type.String({ examples: ['/home'] }) }),
          },
        },
      },
      async (request, reply) => {
        differsByAccept(reply)
        return prefersPage(request)
          ? reply.redirect('/home')
          : { msg: 'Todo App. The API is described at /docs and /openapi.json.' }
      },
    )

    app.get(
      '/health',
      {
        config: vital,
        schema: {
          operationId: 'getHealth',
          tags,
          summary: 'Whether the process lives',
          response: { 200: answer('It lives.', Health) },
        },
      },
      async () => ({ name, version }),
    )

    app.get(
      '/ready',
      {
        config: vital,
        schema: {
          operationId: 'getReadiness',
          tags,
          summary: 'Whether requests can be served',
          response: { 200: answer('They can.', Health) },
        },
      },
      async () => {
        const absent = await missing()
        if (absent.length > 0) throw unavailable(absent.join(' '), { retryAfter: 5 })
        return { name, version }
      },
    )
  }
