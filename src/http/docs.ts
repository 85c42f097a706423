import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { lazy } from '../lib/lazy.ts'
import { isRecord } from '../lib/record.ts'
import { ProblemBody } from '../lib/shapes.ts'
import { overHttps } from './cookies.ts'
import { SAFE_METHODS } from './methods.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** Name of the operation in generated clients. */
    operationId?: string
  }
}

/** An answer's schema with the headers that come with it. */
export const answer = <Schema extends TSchema>(
  description: string,
  schema: Schema,
  headers: Record<string, TSchema> = {},
) => ({ description, headers, content: { 'application/json': { schema } } })

/** An answer without a body. */
export const nothing = (description: string, headers: Record<string, TSchema> = {}) =>
  Type.Unsafe<undefined>({ type: 'null', description, headers })

const problem = (description: string, headers: Record<string, TSchema> = {}) => ({
  description,
  headers,
  content: { 'application/problem+json': { schema: ProblemBody } },
})

const RetryAfter = Type.Integer({ minimum: 1, description: 'Seconds to wait before another try.' })

/** The refusals that a route names by their status, beside those that follow from its shape. */
export const refusals = {
  401: problem('Nobody is signed in, or the credentials are wrong or too old.', {
    'WWW-Authenticate': Type.String({ examples: ['Bearer'] }),
  }),
  403: problem('The caller is known, and may not do this.'),
  404: problem('There is no such thing, or it is not the caller’s.'),
  409: problem('It conflicts with what is there already.'),
  412: problem('It has another version than `If-Match` or `If-None-Match` is for, or none.'),
  429: problem('Too many attempts, or too many at once.', { 'Retry-After': RetryAfter }),
} as const

const common = {
  400: problem('The request is not well-formed.'),
  413: problem('The body is too large.'),
  415: problem('The body is of a media type that this path does not take, or is compressed.', {
    Accept: Type.String({
      description: 'The media types that this path takes.',
      examples: ['application/json'],
    }),
    'Accept-Encoding': Type.String({
      description: 'Where the body is compressed: `identity`.',
      examples: ['identity'],
    }),
  }),
  422: problem('The request has faults; `errors` names each.'),
  500: problem('Something went wrong on the server.'),
  503: problem('The server cannot serve right now.', { 'Retry-After': RetryAfter }),
} as const

const RequestId = Type.String({ description: 'The id of this request, also in the logs.' })

/** Adds to a route's schema what is true of every route of its kind, so that no route repeats it. */
function completeSchema({ schema, config, method }: RouteOptions): void {
  if (!schema || schema.hide) return
  const isPublic = config?.access === 'public'
  const takesInput = schema.body || schema.params || schema.querystring || schema.headers
  const isSafe = [method].flat().every((each) => SAFE_METHODS.has(each))
  const { 413: tooLarge, 415: wrongType, 422: faults, ...always } = common
  if (isRecord(schema.querystring)) schema.querystring = withoutDefaulted(schema.querystring)
  schema.security ??= isPublic ? [] : [{ password: [] }, { session: [] }]
  const answers = {
    ...always,
    ...(takesInput ? { 422: faults } : {}),
    ...(schema.body ? { 409: refusals[409] } : {}),
    // A body that such a route has no use for is still read, up to the limit.
    ...(isSafe ? {} : { 412: refusals[412], 413: tooLarge, 415: wrongType }),
    ...(isPublic ? {} : { 401: refusals[401], 403: refusals[403] }),
    ...(isRecord(schema.response) ? schema.response : {}),
  }
  schema.response = Object.fromEntries(
    Object.entries(answers).map(([status, each]) => [status, withRequestId(each)]),
  )
}

/** What has a default may be left out: it is filled in before anything is said to be missing. */
function withoutDefaulted(schema: Record<string, unknown>): Record<string, unknown> {
  const { required = [], properties } = schema
  if (!Array.isArray(required) || !isRecord(properties)) return schema
  const hasDefault = (name: string) => isRecord(properties[name]) && 'default' in properties[name]
  return { ...schema, required: required.filter((name) => !hasDefault(name)) }
}

function withRequestId(answer: unknown): unknown {
  if (!isRecord(answer)) return answer
  const headers = isRecord(answer.headers) ? answer.headers : {}
  return { ...answer, headers: { 'X-Request-Id': RequestId, ...headers } }
}

/**
 * Moves each schema that has a PascalCase title to the document's components and refers to it, so
 * that a generated client has one named type for it. The routes keep whole schemas, which validate
 * and infer without a registry.
 */
function nameComponents(document: unknown): Record<string, unknown> {
  const schemas: Record<string, unknown> = {}
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (!isRecord(value)) return value
    const visited = Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, visit(inner)]),
    )
    const { title } = value
    if (typeof title !== 'string' || !/^[A-Z][A-Za-z]+$/.test(title) || !('type' in value)) {
      return visited
    }
    schemas[title] = visited
    return { $ref: `#/components/schemas/${title}` }
  }
  const { components, ...rest } = isRecord(document) ? document : {}
  const visited = visit(rest)
  return {
    ...(isRecord(visited) ? visited : {}),
    components: { ...(isRecord(components) ? components : {}), schemas },
  }
}

interface DocsOptions {
  readonly version: string
  readonly sessionCookie: string
  readonly tags: ReadonlyArray<{ name: string; description: string }>
}

/** Collects the routes into an OpenAPI 3.1 document; call it before the first route. */
export async function describeRoutes(app: FastifyInstance, options: DocsOptions): Promise<void> {
  app.addHook('onRoute', completeSchema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Todo App',
        version: options.version,
        description:
          'Accounts, sign-in and todos. Sign in at `POST /auth/token` and send the access token as `Authorization: Bearer …`. Errors are RFC 9457 problem details. A path answers with and without a trailing slash.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: [...options.tags],
      components: {
        securitySchemes: {
          password: {
            type: 'oauth2',
            description: 'E-mail and password for a bearer token (OAuth 2.0 password flow).',
            flows: { password: { tokenUrl: '/auth/token', refreshUrl: '/auth/token', scopes: {} } },
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: options.sessionCookie,
            description: `The session of a signed-in browser. Over https it is called \`${overHttps(options.sessionCookie)}\`. What changes something must come from the same origin.`,
          },
        },
      },
    },
  })
}

const VIEWPORT = `document.head.append(Object.assign(document.createElement('meta'), {
  name: 'viewport', content: 'width=device-width, initial-scale=1' }))`

/** Serves `/openapi.json` and Swagger UI at `/docs`, all from this server. */
export async function serveDocs(app: FastifyInstance): Promise<void> {
  const whole = lazy(() => nameComponents(app.swagger()))
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () =>
    whole(),
  )

  await app.register(async (app) => {
    // Swagger UI is ours to serve and must reach the API, whatever the rest of the site allows.
    app.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' }
    })
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      transformSpecification: whole,
      transformSpecificationClone: false,
      staticCSP:
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      // Else a phone shows the page as wide as a desktop's.
      theme: { js: [{ filename: 'viewport.js', content: VIEWPORT }] },
      uiConfig: { url: '/openapi.json', tryItOutEnabled: true },
    })
  })
}
