import type { FastifyReply, FastifyRequest } from 'fastify'
import { readAssets } from './assets.ts'
import { takeFlash } from './flash.ts'
import { layout, type Page } from './layout.ts'
import { themeOf } from './theme.ts'

/** Answers with a page. */
export const sendPage = (request: FastifyRequest, reply: FastifyReply, page: Page): FastifyReply =>
  reply.type('text/html; charset=utf-8').send(
    layout(page, {
      assets: readAssets(),
      theme: themeOf(request),
      flash: takeFlash(request, reply),
      url: request.method === 'GET' ? request.originalUrl : '/',
    }).toString(),
  )
