import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { writeCookie } from '../http/cookies.ts'
import { localPath } from '../lib/local-path.ts'
import { closed } from '../lib/shapes.ts'
import { assetsDirectory } from './assets.ts'
import { THEME_COOKIE, themes } from './theme.ts'

const YEAR = 365 * 24 * 60 * 60

/** What all pages share: the files they load, and the switch between light and dark. */
export const sharedPages: FastifyPluginAsyncTypebox = async (app) => {
  // Their names change with their content, so a browser may keep them for ever (RFC 8246).
  await app.register(async (app) => {
    app.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' }
    })
    await app.register(fastifyStatic, {
      root: assetsDirectory,
      prefix: '/assets/',
      preCompressed: true,
      index: false,
      cacheControl: false,
      setHeaders: (reply) => {
        reply.header('Cache-Control', `public, max-age=${YEAR}, immutable`)
      },
    })
  })

  app.post(
    '/theme',
    {
      config: { access: 'public', page: true },
      schema: {
        hide: true,
        consumes: ['application/x-www-form-urlencoded'],
        body: closed({ theme: Type.Enum([...themes]), next: Type.String({ maxLength: 2000 }) }),
      },
    },
    async ({ body }, reply) => {
      writeCookie(reply, THEME_COOKIE, body.theme, { maxAge: YEAR, readable: true })
      return reply.redirect(localPath(body.next, '/'))
    },
  )
}
