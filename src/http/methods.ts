import type { FastifyInstance } from 'fastify'
import { Problem } from '../lib/problem.ts'

/** What any path may be asked for. */
export const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const

/** Those that change nothing (RFC 9110 §9.2.1). */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The methods of each path, collected while the routes are mounted. */
export type RouteTable = Map<string, Set<string>>

/** Watches the mounting of routes; call it before the first one. */
export function collectRoutes(app: FastifyInstance): RouteTable {
  const table: RouteTable = new Map()
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.otherMethods) return
    const path = url.length > 1 ? url.replace(/\/$/, '') : url
    const methods = table.get(path) ?? new Set()
    for (const each of [method].flat()) methods.add(each)
    table.set(path, methods)
  })
  return table
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on the routes that only say that a method is not for this path. */
    otherMethods?: boolean
  }
}

function otherMethod(known: ReadonlySet<string>): Problem {
  const Allow = [...known].sort().join(', ')
  return new Problem(405, `This path takes ${Allow}.`, { headers: { Allow } })
}

/** Answers 405 with `Allow` where the path is known and the method is not (RFC 9110 §15.5.6). */
export function refuseOtherMethods(app: FastifyInstance, table: RouteTable): void {
  for (const [url, known] of table) {
    if (url.includes('*')) continue
    const refuse = async () => {
      throw otherMethod(known)
    }
    app.route({
      url,
      method: METHODS.filter((method) => !known.has(method)),
      config: { access: 'public', otherMethods: true },
      schema: { hide: true },
      // Before the body is read, which anyone may send.
      onRequest: refuse,
      handler: refuse,
    })
  }
}

/** The same for a method of which no path knows, such as TRACE; undefined where the path is unknown too. */
export function unknownMethodAt(table: RouteTable, url: string): Problem | undefined {
  const path = (url.split('?', 1)[0] ?? '').replace(/(.)\/$/, '$1')
  const known = table.get(path) ?? [...table].find(([route]) => isOf(path, route))?.[1]
  return known && otherMethod(known)
}

function isOf(path: string, route: string): boolean {
  const steps = path.split('/')
  const expected = route.split('/')
  return (
    steps.length === expected.length &&
    steps.every((step, index) => {
      const name = expected[index]
      return name?.startsWith(':') ? step !== '' : step === name
    })
  )
}
