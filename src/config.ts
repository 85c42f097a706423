import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { parseEnv } from 'node:util'
import { sqlitePath } from './db/open.ts'
import { allowedValues, ConfigurationError, Environment, readEnvironment } from './environment.ts'
import { isStrongKey, keptKey } from './secret-key.ts'

/** How this process is to run. Lifetimes in seconds, timeouts in milliseconds unless named. */
export type Config = Readonly<ReturnType<typeof configure>>

/**
 * The one reader of the process's environment, and of a `.env` file here, which counts less.
 * Throws `ConfigurationError`.
 */
export function readConfig(flags: { proxyHeaders: boolean; pretty: boolean }): Config {
  const variables = { ...dotEnv(), ...process.env }
  variables.DATABASE_URL ||= variables.SQLALCHEMY_DATABASE_URI
  if (flags.proxyHeaders) variables.PROXY_HEADERS = '1'
  if (flags.pretty) variables.LOG_FORMAT = 'pretty'
  return Object.freeze(configure(readEnvironment(variables)))
}

function dotEnv(): NodeJS.ProcessEnv {
  try {
    return parseEnv(readFileSync('.env', 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw new ConfigurationError([`.env: ${String(error)}`])
  }
}

/** Makes the configuration from variables that are read already. Throws `ConfigurationError`. */
export function configure(environment: Environment) {
  const databaseUrl = environment.DATABASE_URL.replace(/^postgres(ql)?(\+\w+)?:/, 'postgresql:')
  if (sqlitePath(databaseUrl) === undefined && !URL.canParse(databaseUrl)) {
    throw new ConfigurationError([
      'DATABASE_URL: not a URL. A password in it must be percent-encoded.',
    ])
  }
  if (environment.PAGE_SIZE > environment.PAGE_SIZE_MAX) {
    throw new ConfigurationError([
      `PAGE_SIZE: read ${environment.PAGE_SIZE}, allowed: at most PAGE_SIZE_MAX, which is ${environment.PAGE_SIZE_MAX}`,
    ])
  }
  if (environment.SECRET_KEY !== undefined && !isStrongKey(environment.SECRET_KEY)) {
    throw new ConfigurationError([
      'SECRET_KEY: too easy to guess, allowed: at least 32 characters, at least 10 different ones, not one from documentation. For example what `openssl rand -hex 32` prints.',
    ])
  }
  const stranger = environment.FORWARDED_ALLOW_IPS.find((proxy) => !isNetwork(proxy))
  if (stranger !== undefined) {
    const allowed = allowedValues(Environment.properties.FORWARDED_ALLOW_IPS)
    throw new ConfigurationError([
      `FORWARDED_ALLOW_IPS: read ${JSON.stringify(stranger)}, allowed: ${allowed}`,
    ])
  }
  return {
    host: environment.HOST,
    port: environment.PORT,
    databaseUrl,
    pool: {
      connections: environment.DATABASE_POOL_SIZE,
      connectTimeout: environment.DATABASE_CONNECT_TIMEOUT,
      statementTimeout: environment.DATABASE_STATEMENT_TIMEOUT,
    },
    updateDb: environment.UPDATE_DB,
    resetDb: environment.RESET_DB,
    secretKey: environment.SECRET_KEY ?? keptKey(),
    apiPrefix: environment.API_PREFIX,
    signup: environment.SIGNUP,
    accessTokenLifetime: environment.ACCESS_TOKEN_LIFETIME,
    refreshTokenLifetime: environment.REFRESH_TOKEN_LIFETIME,
    sessionLifetime: environment.SESSION_LIFETIME,
    signInFailures: environment.SIGN_IN_FAILURES,
    pageSize: environment.PAGE_SIZE,
    pageSizeMax: environment.PAGE_SIZE_MAX,
    corsOrigins: environment.CORS_ORIGINS,
    trustedProxies: environment.PROXY_HEADERS ? environment.FORWARDED_ALLOW_IPS : [],
    bodyLimit: environment.BODY_LIMIT,
    requestTimeout: environment.REQUEST_TIMEOUT,
    gracefulTimeout: environment.GRACEFUL_TIMEOUT,
    logLevel: environment.LOG_LEVEL,
    logFormat: environment.LOG_FORMAT,
  }
}

/** Whether text is an IP address, a network like 10.0.0.0/8, or `*`. */
function isNetwork(text: string): boolean {
  const [address = '', length, ...rest] = text.split('/')
  const bits = { 4: 32, 6: 128 }[isIP(address)]
  if (bits === undefined || rest.length > 0) return text === '*'
  return length === undefined || (/^\d+$/.test(length) && Number(length) <= bits)
}
