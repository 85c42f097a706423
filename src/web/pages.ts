import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { FORM } from '../http/bodies.ts'
import { writeCookie } from '../http/cookies.ts'
import { localPath, Next } from '../lib/local-path.ts'
import { closed } from '../lib/shapes.ts'
import { assetFiles } from './asset-files.ts'
import { THEME_COOKIE, themes } from './theme.ts'

const YEAR = 365 * 24 * 60 * 60

/** What all pages share: the files they load, and the switch between light and dark. */
export const sharedPages: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(assetFiles, { prefix: '/assets' })

  app.post(
    '/theme',
    {
      config: { access: 'public', page: true },
      schema: {
        hide: true,
        consumes: [FORM],
        body: closed({ theme: Type.Enum([...themes]), next: Next }),
      },
    },
    async ({ body }, reply) => {
      writeCookie(reply, THEME_COOKIE, body.theme, { maxAge: YEAR, readable: true })
      return reply.redirect(localPath(body.next, '/'))
    },
  )
}
