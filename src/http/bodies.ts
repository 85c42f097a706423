import { isUtf8 } from 'node:buffer'
import { type ParsedUrlQuery, parse } from 'node:querystring'
import type { FastifyInstance } from 'fastify'
import { invalid, Problem, repeatedAt } from '../lib/problem.ts'
import { queryOf } from '../lib/query.ts'
import { onRequestTo } from './route-hooks.ts'
import { FIELDS_MAX } from './validation.ts'

/** The media type of a form. */
export const FORM = 'application/x-www-form-urlencoded'

/**
 * The fields of a form or a query, and of too many only so many that they are refused: a megabyte of names takes a
 * second. A percent sign that begins no escape stands for itself.
 */
export const parseForm = (text: string): ParsedUrlQuery =>
  // Node counts those that are empty as well.
  parse(text.replaceAll(/&{2,}/g, '&').replace(/^&/, ''), '&', '=', { maxKeys: FIELDS_MAX + 1 })

const notUtf8 = (what: string) => new Problem(400, `The ${what} is not UTF-8.`)

/**
 * Reads JSON and forms as UTF-8 (RFC 8259 §8.1, WHATWG URL §5.1), and refuses what is not: decoded all
 * the same, each wrong byte would become the same sign, so that text is damaged and passwords that
 * differ become equal. That goes for the query too. Call it before the first route.
 */
export function readAsUtf8(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    (request, body, done) => {
      // Some clients name JSON with every request, also where there is no body and none is wanted.
      if (body.length === 0 && !request.routeOptions.schema?.body) done(null, undefined)
      else if (isUtf8(body)) parseJson(request, body.toString(), done)
      else done(notUtf8('body'))
    },
  )
  app.addContentTypeParser<Buffer>(FORM, { parseAs: 'buffer' }, (_request, body, done) => {
    const form = body.toString()
    if (!isUtf8(body) || !escapesUtf8(form)) return done(notUtf8('body'))
    const fields = parseForm(form)
    const repeated = Object.keys(fields).filter((name) => Array.isArray(fields[name]))
    if (repeated.length > 0) done(invalid(...repeated.map((name) => repeatedAt(['body', name]))))
    else done(null, fields)
  })
  app.addHook('onRoute', (route) => {
    if (!route.schema?.querystring) return
    onRequestTo(route, ({ url }, _reply, done) =>
      done(escapesUtf8(queryOf(url)) ? undefined : notUtf8('query')),
    )
  })
}

/**
 * Whether all that is percent-encoded in `text` is UTF-8. A sign that begins no escape stands for itself. What
 * `decodeURIComponent` gives must be looked at: the bundler leaves out a call of it that is there to throw.
 */
function escapesUtf8(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    const escapes = text.match(/(?:%[\da-f]{2})+/gi) ?? []
    return escapes.every((each) => decodeURIComponent(each) !== '')
  } catch {
    return false
  }
}
