import { dirname, resolve } from 'node:path'
import { sqliteFile } from '../db/url.ts'
import { fileFailure, isOutOfRoom } from '../lib/file-failure.ts'
import { ForeseenError } from '../lib/foreseen.ts'
import { fittingConnections, fittingWorkers } from './concurrency.ts'
import { readDotEnv } from './dot-env.ts'
import type { Environment } from './environment.ts'
import { ConfigurationError, readEnvironment } from './read-environment.ts'
import { isStrongKey, KEY_FILE, keptKey } from './secret-key.ts'

/** How this process is to run. Times are in seconds, but in milliseconds in `pool` and `limits`. */
export type Config = Readonly<ReturnType<typeof configure>>

/** The same for who serves, and so signs. */
export type ServiceConfig = Config & { readonly secretKey: string }

/** What the command line says, which counts more than the environment. */
export interface Flags {
  readonly proxyHeaders: boolean
  readonly pretty: boolean
  readonly workers: string | undefined
  /** Another database than that of the environment, and the option that names it. */
  readonly database: { readonly option: string; readonly url: string } | undefined
}

/** As this process was started. Workers, and what is configured anew, work out the rest again. */
export const GIVEN_TEMPORARY_FOLDER = process.env.SQLITE_TMPDIR

/**
 * The one reader of the process's environment, and of a `.env` file here, which counts less.
 * Throws `ConfigurationError`.
 */
export function readConfig(flags: Flags): Config {
  const file = readDotEnv()
  const variables = { ...file, ...process.env }
  const spellings = new Map<string, string>()
  if (flags.database !== undefined) {
    variables.DATABASE_URL = flags.database.url
    spellings.set('DATABASE_URL', flags.database.option)
  }
  if (flags.workers !== undefined) {
    variables.WEB_CONCURRENCY = flags.workers
    spellings.set('WEB_CONCURRENCY', '--workers')
  }
  if (flags.proxyHeaders) variables.PROXY_HEADERS = '1'
  if (flags.pretty) variables.LOG_FORMAT = 'pretty'
  const config = configure(readEnvironment(variables, spellings), {
    isAtTerminal: process.stdout.isTTY,
    // Not an option: npm tells it to what it runs.
    isRunByNpm: process.env.npm_lifecycle_event !== undefined,
  })
  const named = GIVEN_TEMPORARY_FOLDER || file.SQLITE_TMPDIR || variables.TMPDIR
  const folder = named || folderOf(config.databaseUrl)
  // SQLite asks the environment where large sorts and deletions may have their temporary files.
  if (folder) process.env.SQLITE_TMPDIR = folder
  return Object.freeze(config)
}

/**
 * The folder of a SQLite file, which can be written and has room: of the system's own for temporary files,
 * which SQLite would take, there may be none that can be written, or only a small one in memory.
 */
function folderOf(databaseUrl: string): string | undefined {
  const path = sqliteFile(databaseUrl)
  return path && dirname(path)
}

/** Who started the process. */
interface Starter {
  readonly isAtTerminal?: boolean
  readonly isRunByNpm?: boolean
}

/** Makes the configuration from variables that are read already. */
export function configure(
  environment: Environment,
  { isAtTerminal = false, isRunByNpm = false }: Starter = {},
) {
  const workers = environment.WEB_CONCURRENCY ?? fittingWorkers(environment.DATABASE_URL)
  return {
    host: environment.HOST,
    port: environment.PORT,
    databaseUrl: environment.DATABASE_URL.replace(/^postgres(ql)?(\+\w+)?:/, 'postgresql:'),
    pool: {
      connections: environment.DATABASE_POOL_SIZE,
      connectTimeout: environment.DATABASE_CONNECT_TIMEOUT,
      statementTimeout: environment.DATABASE_STATEMENT_TIMEOUT,
      transactionPooling: environment.DATABASE_TRANSACTION_POOLING,
    },
    updateDb: environment.UPDATE_DB,
    resetDb: environment.RESET_DB,
    secretKey: environment.SECRET_KEY,
    secretKeyFallbacks: environment.SECRET_KEY_FALLBACKS,
    apiPrefix: environment.API_PREFIX,
    signup: environment.SIGNUP,
    accessTokenLifetime: environment.ACCESS_TOKEN_LIFETIME,
    refreshTokenLifetime: environment.REFRESH_TOKEN_LIFETIME,
    sessionLifetime: environment.SESSION_LIFETIME,
    sessionIdleTimeout: environment.SESSION_IDLE_TIMEOUT,
    signInFailures: environment.SIGN_IN_FAILURES,
    pageSize: environment.PAGE_SIZE,
    pageSizeMax: environment.PAGE_SIZE_MAX,
    corsOrigins: environment.CORS_ORIGINS,
    trustedProxies: environment.PROXY_HEADERS ? environment.FORWARDED_ALLOW_IPS : [],
    limits: {
      body: environment.BODY_LIMIT,
      header: environment.HEADER_LIMIT,
      headersTimeout: Math.min(environment.HEADERS_TIMEOUT, environment.REQUEST_TIMEOUT),
      requestTimeout: environment.REQUEST_TIMEOUT,
      stallTimeout: environment.STALL_TIMEOUT,
      keepAliveTimeout: environment.KEEP_ALIVE_TIMEOUT,
      connections: environment.CONNECTIONS_MAX ?? fittingConnections(workers),
      overloadDelay: environment.OVERLOAD_DELAY,
    },
    workers,
    workerTimeout: environment.WORKER_TIMEOUT,
    maxRequests: environment.MAX_REQUESTS,
    workerMemoryLimit: environment.WORKER_MEMORY_LIMIT,
    gracefulTimeout: environment.GRACEFUL_TIMEOUT,
    // Who stops it at a terminal is not a load balancer.
    drainDelay: isAtTerminal ? 0 : environment.DRAIN_DELAY,
    isRunByNpm,
    metrics: environment.METRICS,
    metricsPort: environment.METRICS_PORT,
    logLevel: environment.LOG_LEVEL,
    logFormat: environment.LOG_FORMAT,
  }
}

/**
 * Adds the key of this installation where none is named, which makes it at the first start. Commands
 * that sign nothing go without: who runs them may not be the one who may read it. Throws
 * `ConfigurationError`, and another `ForeseenError` where the disk is full.
 */
export const withSigningKey = (config: Config): ServiceConfig =>
  Object.freeze({ ...config, secretKey: config.secretKey ?? usableKey() })

function usableKey(): string {
  const key = readableKey()
  if (isStrongKey(key)) return key
  throw new ConfigurationError([
    `${KEY_FILE} does not hold a usable key. Delete it: the next start makes another, and nobody has to sign in again.`,
  ])
}

function readableKey(): string {
  try {
    return keptKey()
  } catch (error) {
    const reason = fileFailure(error)
    if (reason === undefined) throw error
    const message = `The signing key is kept in ${resolve(KEY_FILE)}, which cannot be read or made: ${reason}`
    if (isOutOfRoom(error)) throw new ForeseenError(message)
    throw new ConfigurationError([`${message} SECRET_KEY may be set instead.`])
  }
}
