import { BlockList } from 'node:net'
import { type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { sqlitePath } from '../db/url.ts'
import { allowedValues, Environment } from './environment.ts'
import { isStrongKey } from './secret-key.ts'
import { ForeseenError } from '../lib/foreseen.ts'

/** A configuration that cannot be used. The message names each variable, what was read, and what is allowed. */
export class ConfigurationError extends ForeseenError {
  /** EX_CONFIG of sysexits.h. */
  override readonly exitCode = 78

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigurationError'
  }
}

const FLAGS = new Map([
  ...['1', 'true', 'yes', 'on'].map((word) => [word, true] as const),
  ...['0', 'false', 'no', 'off'].map((word) => [word, false] as const),
])
const SYNONYMS = new Map([
  ['warning', 'warn'],
  ['critical', 'fatal'],
])

/** Reads text as the schema's type; what cannot be read is left as it is, for the check to refuse. */
function read(schema: TSchema, text: string): unknown {
  if (Type.IsArray(schema)) {
    return text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean)
  }
  if (Type.IsBoolean(schema)) return FLAGS.get(text.toLowerCase()) ?? text
  if (Type.IsEnum(schema)) return SYNONYMS.get(text.toLowerCase()) ?? text.toLowerCase()
  if (Type.IsInteger(schema)) return /^\d+$/.test(text) ? Number(text) : text
  return text
}

/** What was read, without what may be secret: a wrong secret is still a secret. */
function shown(name: string, text: string): string {
  if (name.startsWith('SECRET_KEY')) return `${text.length} characters`
  const mayHoldPassword = name === 'DATABASE_URL' && /[@=]/.test(text)
  return JSON.stringify(mayHoldPassword ? text.replace(/^([a-z+]+:)?.*$/is, '$1…') : text)
}

const DATABASE_ALIAS = 'SQLALCHEMY_DATABASE_URI'

/**
 * Reads the variables. An empty one counts as absent. Throws `ConfigurationError` with every fault, in which those in
 * `spellings` are called as they were given.
 */
export function readEnvironment(
  variables: NodeJS.ProcessEnv,
  spellings: ReadonlyMap<string, string> = new Map(),
): Environment {
  const values: Record<string, unknown> = {}
  const set = new Set<string>()
  const faults: string[] = []
  const given = { ...variables }
  const called = new Map(spellings)
  if (!given.DATABASE_URL?.trim()) {
    given.DATABASE_URL = given[DATABASE_ALIAS]
    called.set('DATABASE_URL', DATABASE_ALIAS)
  }
  for (const [name, schema] of Object.entries(Environment.properties)) {
    const text = given[name]?.trim()
    if ('default' in schema) values[name] = schema.default
    if (!text) continue
    const value = read(schema, text)
    if (Value.Check(schema, value)) {
      values[name] = value
      set.add(name)
    } else {
      faults.push(`${name}: read ${shown(name, text)}, allowed: ${allowedValues(schema)}`)
    }
  }
  const environment = Value.Parse(Environment, values)
  for (const { name, most, allowed } of bounds(environment)) {
    if (!set.has(name)) environment[name] = Math.min(environment[name], most)
    if (environment[name] <= most) continue
    faults.push(`${name}: read ${environment[name]}, allowed: at most ${allowed}`)
  }
  faults.push(...rules.flatMap((rule) => rule(environment) ?? []))
  if (faults.length > 0) {
    throw new ConfigurationError(
      faults.map((fault) => fault.replace(/^\w+/, (name) => called.get(name) ?? name)),
    )
  }
  return environment
}

/** What the paths of the service itself begin with. */
const OWN_PATHS: ReadonlySet<string | undefined> = new Set([
  'account',
  'assets',
  'auth',
  'docs',
  'health',
  'home',
  'login',
  'logout',
  'metrics',
  'openapi.json',
  'ready',
  'sessions',
  'signup',
  'theme',
])

/** What may not be larger than another option allows, and is as large at most where it is not set itself. */
const bounds = ({ PAGE_SIZE_MAX, GRACEFUL_TIMEOUT }: Environment) => {
  // A connection is closed a second after it was used last, and a request takes time as well.
  const delay = Math.max(0, GRACEFUL_TIMEOUT - 2)
  return [
    {
      name: 'PAGE_SIZE',
      most: PAGE_SIZE_MAX,
      allowed: `PAGE_SIZE_MAX, which is ${PAGE_SIZE_MAX}`,
    },
    {
      name: 'DRAIN_DELAY',
      most: delay,
      allowed: `${delay}, since GRACEFUL_TIMEOUT is ${GRACEFUL_TIMEOUT} and open requests need two seconds of it`,
    },
  ] as const
}

/** What else no schema can say: each rule gives its fault, if there is one. */
const rules: ReadonlyArray<(environment: Environment) => string | undefined> = [
  ({ DATABASE_URL }) => {
    if (sqlitePath(DATABASE_URL) !== undefined || URL.canParse(DATABASE_URL)) return undefined
    return 'DATABASE_URL: read what is not a URL, allowed: one with one host, which for a socket is its folder, as in postgresql://user@%2Fvar%2Frun%2Fpostgresql/name, and with user and password percent-encoded'
  },
  ({ API_PREFIX }) => {
    if (!OWN_PATHS.has(API_PREFIX.split('/')[1])) return undefined
    return `API_PREFIX: read ${JSON.stringify(API_PREFIX)}, allowed: one that begins otherwise than the paths of the service itself, such as /api/v1`
  },
  ({ SECRET_KEY }) => {
    if (SECRET_KEY === undefined || isStrongKey(SECRET_KEY)) return undefined
    return 'SECRET_KEY: read one that is easy to guess, allowed: at least 32 characters, at least 10 different ones, not one from documentation; for example what `openssl rand -hex 32` prints'
  },
  ({ SECRET_KEY_FALLBACKS }) => {
    if (SECRET_KEY_FALLBACKS.every(isStrongKey)) return undefined
    return 'SECRET_KEY_FALLBACKS: read one that is easy to guess, allowed: what SECRET_KEY may be'
  },
  ({ WEB_CONCURRENCY, DATABASE_URL }) => {
    if (WEB_CONCURRENCY === undefined || WEB_CONCURRENCY === 1) return undefined
    if (sqlitePath(DATABASE_URL) !== ':memory:') return undefined
    return `WEB_CONCURRENCY: read ${WEB_CONCURRENCY}, allowed: 1, since no other process can see a database in memory`
  },
  ({ PORT, METRICS_PORT }) => {
    if (METRICS_PORT !== PORT || PORT === 0) return undefined
    return `METRICS_PORT: read ${METRICS_PORT}, allowed: another port than PORT, which is ${PORT}`
  },
  ({ FORWARDED_ALLOW_IPS }) => {
    const stranger = FORWARDED_ALLOW_IPS.find((proxy) => !isNetwork(proxy))
    if (stranger === undefined) return undefined
    const allowed = allowedValues(Environment.properties.FORWARDED_ALLOW_IPS)
    return `FORWARDED_ALLOW_IPS: read ${JSON.stringify(stranger)}, allowed: ${allowed}`
  },
]

/** Whether text is an IP address, a network like 10.0.0.0/8, or `*`. */
function isNetwork(text: string): boolean {
  if (text === '*') return true
  const [address = '', length, ...rest] = text.split('/')
  if (rest.length > 0 || (length !== undefined && !/^\d+$/.test(length))) return false
  const [family, bits] = address.includes(':') ? (['ipv6', 128] as const) : (['ipv4', 32] as const)
  try {
    // Checks it in a tenth of a millisecond; the first call of `isIPv6`, at every start, takes 5.
    new BlockList().addSubnet(address, Number(length ?? bits), family)
    return true
  } catch {
    return false
  }
}
