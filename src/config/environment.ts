import { type Static, type TSchema, Type } from 'typebox'
import { limits } from './limits.ts'
import { choice, flag, list, whole } from './option.ts'
import { processes } from './processes.ts'

const MINUTE = 60
const DAY = 24 * 60 * MINUTE

/** Every option of the service. `docs/options.md` is made from this. */
export const Environment = Type.Object({
  HOST: Type.String({
    minLength: 1,
    default: '127.0.0.1',
    description: 'The address to listen on; `0.0.0.0` or `::` for all.',
  }),
  PORT: whole(0, 65_535, 8000, 'The port to listen on; 0 picks a free one.'),
  DATABASE_URL: Type.String({
    pattern: '^(sqlite://(/.+)?$|postgres(ql)?(\\+\\w+)?://.)',
    default: 'sqlite:///data/todo.db',
    allowed:
      'sqlite:///relative/file, sqlite:////absolute/file or postgresql://user:password@host/name',
    description:
      'The database: `sqlite:///relative/file`, `sqlite:////absolute/file` or `postgresql://user:password@host:5432/name`. `SQLALCHEMY_DATABASE_URI` is read when this is absent.',
  }),
  DATABASE_POOL_SIZE: whole(1, 1000, 10, 'PostgreSQL connections of one process, at most.'),
  DATABASE_CONNECT_TIMEOUT: whole(
    100,
    60_000,
    3000,
    'How long to wait for a connection, in milliseconds.',
  ),
  DATABASE_STATEMENT_TIMEOUT: whole(
    100,
    600_000,
    10_000,
    'How long one PostgreSQL statement may take, in milliseconds; one of a migration takes as long as it takes.',
  ),
  DATABASE_TRANSACTION_POOLING: flag(
    'A pooler in transaction mode (PgBouncer) stands before PostgreSQL: rely on nothing that outlives a transaction. Set the timeouts on the role then (docs/scaling.md).',
  ),
  UPDATE_DB: flag(
    'Migrate the schema when starting, and before `todo user create`. With 0, `/ready` answers 503 until `todo migrate` has run.',
    true,
  ),
  RESET_DB: choice(
    ['0', '1', 'force'],
    '0',
    'When starting, drop everything and load the demo data: `1` refuses when the database holds anything else, `force` does not.',
  ),
  SECRET_KEY: Type.Optional(
    Type.String({
      minLength: 32,
      allowed: 'at least 32 characters',
      description:
        'Signs the access tokens: at least 32 characters, at least 10 different ones. When absent, one is made and kept in `data/secret_key`. Processes that share a database must share it.',
    }),
  ),
  SECRET_KEY_FALLBACKS: list(
    'keys of at least 32 characters, with commas between',
    '^.{32,}$',
    [],
    'Keys that are accepted beside `SECRET_KEY` and sign nothing, with commas between: the other one while a key is exchanged.',
  ),
  API_PREFIX: Type.String({
    pattern: '^(/[A-Za-z0-9._-]+)+$',
    allowed: 'a path like /api/v1, without a slash at its end',
    default: '/api/v1',
    description: 'What the paths of the API begin with.',
  }),
  SIGNUP: choice(
    ['open', 'closed'],
    'open',
    'Whether anyone may sign up. Accounts can always be made on the command line.',
  ),
  ACCESS_TOKEN_LIFETIME: whole(
    10,
    DAY,
    15 * MINUTE,
    'How long an access token is good, in seconds.',
  ),
  REFRESH_TOKEN_LIFETIME: whole(
    MINUTE,
    365 * DAY,
    30 * DAY,
    'How long an unused refresh token is good, in seconds.',
  ),
  SESSION_LIFETIME: whole(
    MINUTE,
    365 * DAY,
    90 * DAY,
    'How long a sign-in lasts at the longest, however often it is refreshed, in seconds.',
  ),
  SESSION_IDLE_TIMEOUT: whole(
    MINUTE,
    365 * DAY,
    14 * DAY,
    'How long a signed-in browser may be left unused before it must sign in again, in seconds.',
  ),
  SIGN_IN_FAILURES: whole(
    1,
    1000,
    10,
    'Failed sign-ins that one address may make at one account in 15 minutes; ten times as many at all accounts together; and ten times as many may all addresses together make at one account that it was never signed in to from. A browser that was signed in to the account before has a count of its own.',
  ),
  PAGE_SIZE: whole(
    1,
    1000,
    10,
    'Items on a page when the request names no `limit`; when absent, `PAGE_SIZE_MAX` where that is less.',
  ),
  PAGE_SIZE_MAX: whole(1, 1000, 100, 'The largest `limit` that a request may name.'),
  CORS_ORIGINS: list(
    'origins like https://example.org, with commas between',
    '^https?://[^/*?#\\s]+$',
    [],
    'Origins of web pages elsewhere that may call the API, with commas between.',
  ),
  PROXY_HEADERS: flag(
    'Behind a proxy: believe the forwarded scheme, host and client address. The same as `--proxy-headers`.',
  ),
  FORWARDED_ALLOW_IPS: list(
    'IP addresses or networks like 10.0.0.0/8, with commas between, or *',
    '^(\\*|[0-9A-Fa-f.:/]+)$',
    ['127.0.0.1', '::1'],
    'The addresses or networks of the proxies to believe, with commas between; `*` for any.',
  ),
  ...limits,
  ...processes,
  METRICS: flag('Answer `/metrics` on the port of the service, to anyone who can reach it.'),
  METRICS_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description:
        'A port of its own for `/metrics`, at the same address, which need not be open to everyone; 0 picks a free one.',
    }),
  ),
  LOG_LEVEL: choice(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'The least important messages to log. Capitals and `WARNING`, `CRITICAL` are understood.',
  ),
  LOG_FORMAT: choice(
    ['auto', 'json', 'pretty'],
    'auto',
    '`pretty` for people, `json` for machines; `auto` is pretty in a terminal.',
  ),
})
export type Environment = Static<typeof Environment>

/** What a variable may be, in words. */
export function allowedValues(schema: TSchema): string {
  const keywords = new Map<string, unknown>(Object.entries(schema))
  if (keywords.has('allowed')) return String(keywords.get('allowed'))
  if (Type.IsBoolean(schema)) return '1 or 0'
  if (Type.IsEnum(schema)) return schema.enum.join(', ')
  if (Type.IsInteger(schema)) {
    return `a whole number from ${keywords.get('minimum')} to ${keywords.get('maximum')}`
  }
  return 'text'
}
