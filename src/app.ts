import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  LogController,
} from 'fastify'
import type { ServiceConfig } from './config/config.ts'
import { longestWait } from './db/dialect.ts'
import { databaseProblem } from './db/failure.ts'
import type { Db } from './db/tables.ts'
import { accountsApi } from './features/accounts/api.ts'
import { accountPages } from './features/accounts/pages.ts'
import { exportsApi } from './features/exports/api.ts'
import { exportPages } from './features/exports/pages.ts'
import { ExportsUnderWay } from './features/exports/under-way.ts'
import { profilesApi } from './features/profiles/api.ts'
import { accessTokens } from './features/sessions/access-tokens.ts'
import type { SignInRules } from './features/sessions/actions.ts'
import { sessionsApi } from './features/sessions/api.ts'
import { identify } from './features/sessions/identify.ts'
import { sessionPages } from './features/sessions/pages.ts'
import { todosApi } from './features/todos/api.ts'
import { todoPages } from './features/todos/pages.ts'
import { usersApi } from './features/users/api.ts'
import { controlAccess } from './http/access.ts'
import { parseForm, readAsUtf8 } from './http/bodies.ts'
import { boundBodies } from './http/body-room.ts'
import { type Compilers, lazyCompilers } from './http/compilers.ts'
import { refuseConditions } from './http/conditional.ts'
import { SESSION_COOKIE } from './http/cookies.ts'
import { shareWith } from './http/cors.ts'
import { describeRoutes, serveDocs } from './http/docs.ts'
import { type Drain, drainable } from './http/drain.ts'
import { answerFailures, failureAnswer, refuseUnknown, routeUnreadable } from './http/failure.ts'
import { readForwarded } from './http/forwarded.ts'
import { guardAnswers, guardMediaTypes, requestId, takePathsOnly } from './http/guard.ts'
import { healthRoutes } from './http/health.ts'
import { limitClients, serverLimits } from './http/limits.ts'
import { collectRoutes, type RouteTable, refuseOtherMethods } from './http/methods.ts'
import { answerExpectations, answerMalformed } from './http/malformed.ts'
import { logRequests } from './http/observe.ts'
import { shedLoad } from './http/overload.ts'
import { boundPipelining } from './http/pipelining.ts'
import { readiness } from './readiness.ts'
import { name, version } from './version.ts'
import { sendErrorPage } from './web/error-page.ts'
import { sharedPages } from './web/pages.ts'

const tags = [
  { name: 'sessions', description: 'Signing in and out.' },
  { name: 'account', description: 'The signed-in user’s own account.' },
  { name: 'users', description: 'Accounts, and who owns what.' },
  { name: 'todos', description: 'Things to do.' },
  { name: 'health', description: 'Whether the service lives and can serve.' },
]

declare module 'fastify' {
  interface FastifyInstance {
    /** Every path with its methods. */
    readonly routeTable: RouteTable
    readonly drain: Drain
    readonly compileSchemas: Compilers['compileAll']
  }
}

/** What counts the requests, and `/metrics`, where they are on. */
interface AppMetrics {
  readonly watch?: ((app: FastifyInstance) => void) | undefined
  readonly route?: FastifyPluginAsync | undefined
}

/** Whose `X-Forwarded` headers count; where it is nobody's, the slow reading of them is left out. */
const trusted = (proxies: string[]): boolean | string[] =>
  proxies.length > 0 && (proxies.includes('*') || proxies)

/** The whole service, ready to listen or to be called. Closing it leaves the database open. */
export async function buildApp(
  config: ServiceConfig,
  db: Db,
  logger: FastifyBaseLogger,
  metrics: AppMetrics = {},
): Promise<FastifyInstance> {
  const isApiPath = (url: string) =>
    [`${config.apiPrefix}/`, '/auth/'].some((at) => url.startsWith(at))
  const answerFailure = failureAnswer(databaseProblem, sendErrorPage, isApiPath)
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    genReqId: requestId,
    clientErrorHandler: answerMalformed(logger),
    frameworkErrors: routeUnreadable,
    ...serverLimits(config.limits),
    trustProxy: trusted(config.trustedProxies),
    // What a path holds is for its schema to refuse; how long it may be, HEADER_LIMIT says.
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: Number.MAX_SAFE_INTEGER,
      querystringParser: parseForm,
    },
    // Requests are served to the end; `drain` sees to it that there is one.
    return503OnClosing: false,
  }).withTypeProvider<TypeBoxTypeProvider>()
  const compilers = lazyCompilers()
  app.setValidatorCompiler(compilers.validator)
  app.setSerializerCompiler(compilers.serializer)
  app.decorate('compileSchemas', compilers.compileAll)

  const keys = [config.secretKey, ...config.secretKeyFallbacks] as const
  const tokens = accessTokens(keys, config.accessTokenLifetime)
  const failures = config.signInFailures
  const idleTimeout = config.sessionIdleTimeout
  const rules: SignInRules = {
    tokens,
    failures,
    refreshTokenLifetime: config.refreshTokenLifetime,
    sessionLifetime: config.sessionLifetime,
  }
  const pageSizes = { usual: config.pageSize, max: config.pageSizeMax }
  const api = config.apiPrefix
  const exportSource = { db, underWay: new ExportsUnderWay() }

  const routes = collectRoutes(app)
  app.decorate('routeTable', routes)
  const drain = drainable(app)
  app.decorate('drain', drain)
  answerFailures(app, answerFailure, routes)
  answerExpectations(app)
  logRequests(app)
  metrics.watch?.(app)
  limitClients(app, config.limits)
  boundPipelining(app.server)
  takePathsOnly(app)
  if (config.trustedProxies.length > 0) readForwarded(app)
  guardAnswers(app)
  if (config.corsOrigins.length > 0) await shareWith(app, config.corsOrigins)
  // Behind CORS, so that a script from elsewhere may read the refusal.
  shedLoad(app, config.limits, () => longestWait(db))
  refuseUnknown(app, routes)
  readAsUtf8(app)
  guardMediaTypes(app)
  refuseConditions(app)
  controlAccess(
    app,
    identify(db, tokens, idleTimeout, (error) =>
      logger.warn(
        { err: error },
        'could not note the use of a session; trying again with a later request',
      ),
    ),
  )
  // Behind access, so that only those who are signed in take room.
  boundBodies(app)
  await describeRoutes(app, { version, sessionCookie: SESSION_COOKIE, tags })

  app.register(healthRoutes({ name, version, missing: readiness(db, drain) }))
  if (config.metrics && metrics.route) app.register(metrics.route)
  app.register(sessionsApi({ db, rules }), { prefix: '/auth' })
  app.register(sessionsApi({ db, rules, suffix: 'UnderPrefix' }), { prefix: `${api}/auth` })
  app.register(accountsApi({ db, failures }), { prefix: '/auth' })
  app.register(accountsApi({ db, failures, suffix: 'UnderPrefix' }), { prefix: `${api}/auth` })
  app.register(usersApi({ db, signup: config.signup, pageSizes }), { prefix: `${api}/users` })
  app.register(profilesApi({ db }), { prefix: `${api}/users` })
  app.register(todosApi({ db, pageSizes }), { prefix: `${api}/todos` })
  app.register(exportsApi(exportSource), { prefix: `${api}/auth` })
  app.register(serveDocs)

  app.register(sharedPages)
  app.register(sessionPages({ db, rules, signup: config.signup, idleTimeout }))
  app.register(accountPages({ db, failures, idleTimeout }), { prefix: '/account' })
  app.register(exportPages(exportSource), { prefix: '/account' })
  app.register(todoPages({ db, api: `${api}/todos`, pageSize: Math.min(25, pageSizes.max) }), {
    prefix: '/home',
  })

  app.register(async (app) => refuseOtherMethods(app, routes))
  await app.ready()
  return app
}
