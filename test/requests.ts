import fc from 'fast-check'
import type { Document, Operation } from './answers.ts'

/**
 * Requests made of the OpenAPI document: for each part now what the schema asks for, now whatever
 * may come instead.
 */
export interface AnyRequest {
  readonly path: string
  readonly query: ReadonlyArray<readonly [string, string]>
  readonly headers: Record<string, string>
  readonly body: string | Buffer | undefined
}

/** Text and numbers that have broken programs before. */
const HARD = [
  '',
  ' ',
  'a\u0000b',
  '\ud800',
  'x\udfff',
  '\u202eabc',
  '\ufeff',
  '\u0301\u0316'.repeat(50),
  'ﷺ'.repeat(200),
  '𝔘'.repeat(2000),
  "' or 1=1 --",
  '"; drop table users; --',
  '%00',
  '%',
  '\\',
  '../../etc/passwd',
  '{{7*7}}',
  '\r\nSet-Cookie: a=b',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  '9007199254740993',
  '-1',
  '1e400',
  'NaN',
  'true',
  'null',
] as const
const hardText = fc.constantFrom(...HARD)
const HARD_NUMBERS = [-1, 0, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64, 1e308, -0, 0.1]

const anyText = fc.oneof(
  hardText,
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 3000 }),
)
/** Whatever a client may put where a value belongs. */
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  fc.constantFrom(...HARD_NUMBERS),
  fc.jsonValue({ stringUnit: 'binary' }),
)

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null

const mostly = (usual: fc.Arbitrary<unknown>, rare: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: rare })

/** Mostly values of the schema, and anything else. */
function valuesOf(document: Document, given: unknown): fc.Arbitrary<unknown> {
  const name = isSchema(given) ? given.$ref?.split('/').at(-1) : undefined
  const schema = name === undefined ? given : document.components.schemas[name]
  if (!isSchema(schema)) return anyValue
  const { examples = [] } = schema
  const fitting =
    examples.length > 0
      ? fc.oneof(fc.constantFrom(...examples), ofType(document, schema))
      : ofType(document, schema)
  return mostly(fitting, anyValue)
}

function ofType(document: Document, schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((each) => valuesOf(document, each)))
  if (schema.properties) {
    const fields = Object.entries(schema.properties).map(
      ([field, each]) => [field, valuesOf(document, each)] as const,
    )
    return fc
      .tuple(
        fc.record(Object.fromEntries(fields), { requiredKeys: [] }),
        mostly(fc.constant({}), fc.dictionary(fc.oneof(hardText, fc.string()), anyValue)),
      )
      .map(([named, others]) => ({ ...named, ...(others as object) }))
  }
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const min = schema.minimum ?? 0
      const max = Math.min(schema.maximum ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      return fc.oneof(
        fc.integer({ min, max: min + 3 }),
        fc.maxSafeInteger(),
        fc.constantFrom(min, max),
      )
    }
    case 'boolean':
      return fc.boolean()
    case 'string':
      if (schema.format === 'email') return fc.emailAddress()
      return fc.string({ unit: 'grapheme', maxLength: Math.min(schema.maxLength ?? 100, 3000) })
    default:
      return anyValue
  }
}

/** What HTTP may carry in a header: visible Latin-1, and blanks. */
const headerText = fc
  .oneof(
    hardText,
    fc.string({
      unit: fc.constantFrom(...'"W/.,*;=:0123456789abc -_%\t\u00e9\u00ff'),
      maxLength: 80,
    }),
    fc.constantFrom(
      '"1.1"',
      '*',
      'W/"1.1"',
      'bytes=0-',
      'gzip',
      'text/html',
      'close',
      'chunked',
      '7',
    ),
  )
  .map((text) => text.replace(/[^\t\x20-\x7e\xa0-\xff]/g, '?').trim())

const HEADERS = [
  'accept',
  'accept-encoding',
  'access-control-request-method',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'idempotency-key',
  'origin',
  'range',
  'sec-fetch-site',
  'transfer-encoding',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-http-method-override',
  'x-request-id',
] as const

const encoded = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return encodeURIComponent((text ?? '').toWellFormed())
}

/** A body in its media type, now and then damaged on the way. */
function bodiesOf(document: Document, mediaType: string, schema: unknown) {
  const whole = valuesOf(document, schema).map((value) =>
    mediaType.endsWith('json') || typeof value !== 'object' || value === null
      ? (JSON.stringify(value) ?? '')
      : Object.entries(value)
          .map(([field, each]) => `${encoded(field)}=${encoded(each)}`)
          .join('&'),
  )
  const damaged = fc
    .tuple(whole, fc.nat(), hardText)
    .map(([text, at, insert]) => text.slice(0, at % (text.length + 1)) + insert)
  const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each))
  return fc.oneof({ weight: 6, arbitrary: whole }, damaged, bytes, fc.constant(undefined))
}

/**
 * A segment that stays one: a client takes a dot segment away before it sends the path (RFC 3986
 * §5.2.4), and an empty one names the collection. Either would be a request to another operation.
 */
const segmentsOf = (values: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  values.map(encoded).filter((segment) => !['', '.', '..'].includes(segment))

const MEDIA_TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'application/merge-patch+json;;',
  '/',
]

/** Requests to one operation of the document. */
export function requestsFor(
  document: Document,
  path: string,
  operation: Operation,
): fc.Arbitrary<AnyRequest> {
  const parameters = operation.parameters ?? []
  const named = (place: string) => parameters.filter((each) => each.in === place)
  const paths = fc
    .tuple(...named('path').map(({ schema }) => segmentsOf(valuesOf(document, schema))))
    .map((segments) =>
      segments.reduce<string>((url, each) => url.replace(/\{\w+\}/, () => each), path),
    )
  const fields = named('query').map(({ name, schema }) =>
    valuesOf(document, schema).map((value) => [name, encoded(value)] as const),
  )
  const query = fc.array(
    fc.oneof(...fields, fc.tuple(hardText.map(encoded), anyText.map(encoded))),
    { maxLength: fields.length > 0 ? 4 : 1 },
  )
  const headers = fc.dictionary(
    fc.constantFrom(...HEADERS, ...named('header').map(({ name }) => name.toLowerCase())),
    headerText,
    { maxKeys: 3 },
  )
  const media = Object.entries(operation.requestBody?.content ?? {})
  const bodies =
    media.length === 0
      ? fc.constant({ type: undefined, body: undefined })
      : fc.oneof(
          ...media.map(([type, { schema }]) =>
            fc.record({
              type: mostly(fc.constant(type), fc.constantFrom(...MEDIA_TYPES, undefined)),
              body: bodiesOf(document, type, schema),
            }),
          ),
        )
  return fc
    .record({ path: paths, query, headers, content: bodies })
    .map(({ content, ...rest }) => ({
      ...rest,
      headers:
        typeof content.type === 'string'
          ? { ...rest.headers, 'content-type': content.type }
          : rest.headers,
      body: content.body,
    }))
}

const FORM_FIELDS = [
  'current_password',
  'edit',
  'email',
  'fname',
  'id',
  'lname',
  'next',
  'page',
  'password',
  'q',
  'show',
  'tag',
  'text',
  'theme',
  'username',
] as const

/** Requests to a page, whose forms the document does not describe. */
export function pageRequests(path: string): fc.Arbitrary<AnyRequest> {
  const value = fc.oneof(
    fc.constantFrom(
      '1',
      '2',
      '/home',
      'open',
      '"1.1"',
      'ann@example.com',
      'light',
      '//evil.example',
    ),
    anyText,
  )
  const field = fc.tuple(fc.constantFrom(...FORM_FIELDS), value.map(encoded))
  const fields = fc.array(field, { maxLength: 5 })
  const whole = fields.map((each) => each.map(([name, text]) => `${name}=${text}`).join('&'))
  const segment = fc.oneof(fc.constantFrom('1', '2'), anyText.map(encoded))
  return fc.record({
    path: fc
      .tuple(segment, segment)
      .map(([id, rest]) => path.replace(':id', id).replace('*', rest)),
    query: fields,
    headers: fc
      .dictionary(fc.constantFrom(...HEADERS), headerText, { maxKeys: 2 })
      .map((headers) => ({ 'content-type': 'application/x-www-form-urlencoded', ...headers })),
    body: fc.oneof({ weight: 4, arbitrary: whole }, anyText, fc.constant(undefined)),
  })
}
