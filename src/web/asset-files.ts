import { basename } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { noSuchPath } from '../lib/problem.ts'
import { assetsDirectory, readAssets } from './assets.ts'

const YEAR = 365 * 24 * 60 * 60

/** A path without the digest of the content, which the build puts at the end of a file’s name. */
const withoutDigest = (path: string): string => path.replace(/-[\w-]{8}(\.\w+)$/, '-$1')

/** What this version has in the place of another's file. */
const ownOf = (path = ''): string | undefined =>
  Object.values(readAssets()).find((own) => withoutDigest(own) === withoutDigest(path))

/**
 * The files that the pages load. While two versions serve side by side, one may be asked for what a
 * page of the other loads: it gives its own, which must not be kept under that name.
 */
export const assetFiles: FastifyPluginAsync = async (app) => {
  try {
    // With many connections open there may later be no file descriptor left to read it with.
    readAssets()
  } catch {
    // The API is served without pages too, and a page says why it cannot be.
  }
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' }
  })
  await app.register(fastifyStatic, {
    root: assetsDirectory,
    preCompressed: true,
    index: false,
    cacheControl: false,
    setHeaders(reply) {
      if (reply.request.is404) return
      // A name changes with the content, so a browser may keep it for ever (RFC 8246).
      reply.header('Cache-Control', `public, max-age=${YEAR}, immutable`)
    },
  })
  app.setNotFoundHandler(({ url }, reply) => {
    const own = ownOf(url.split('?', 1)[0])
    if (own === undefined) throw noSuchPath()
    return reply.code(200).sendFile(basename(own))
  })
}
