import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const Media = Type.Object({ schema: Type.Unknown() })
const Answer = Type.Object({
  description: Type.String(),
  headers: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  content: Type.Optional(Type.Record(Type.String(), Media)),
})
const Operation = Type.Object({
  operationId: Type.String(),
  responses: Type.Record(Type.String(), Answer),
  parameters: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        in: Type.String(),
        required: Type.Optional(Type.Boolean()),
        schema: Type.Unknown(),
      }),
    ),
  ),
  security: Type.Optional(Type.Array(Type.Unknown())),
  requestBody: Type.Optional(Type.Object({ content: Type.Record(Type.String(), Media) })),
})
const Document = Type.Object({
  paths: Type.Record(Type.String(), Type.Record(Type.String(), Operation)),
  components: Type.Object({ schemas: Type.Record(Type.String(), Type.Unknown()) }),
})
export type Operation = Type.Static<typeof Operation>
export type Document = Type.Static<typeof Document>

const documents = new WeakMap<
  FastifyInstance,
  { document: Document; ajv: Ajv2020; everywhere: ReadonlySet<string> }
>()

/** Headers of the transport and of the browser's rules, which are no part of what a route answers. */
const NOT_OF_A_ROUTE = /^(access-control-.*|strict-transport-security|transfer-encoding|vary)$/

/** The OpenAPI document that the service gives its clients. */
export async function documentOf(app: FastifyInstance): Promise<Document> {
  return (await contractOf(app)).document
}

async function contractOf(app: FastifyInstance) {
  const known = documents.get(app)
  if (known) return known
  const answer = await app.inject('/openapi.json')
  const document = Value.Parse(Document, answer.json())
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(answer.json(), 'openapi')
  const { 'x-request-id': _documented, ...others } = answer.headers
  const contract = { document, ajv, everywhere: new Set(Object.keys(others)) }
  documents.set(app, contract)
  return contract
}

/** The operation that a request is for, undefined where the document has none. */
export function operationFor(
  document: Document,
  method: string,
  url: string,
): { path: string; operation: Operation } | undefined {
  const asked = (url.split('?', 1)[0] ?? '/').replace(/(.)\/$/, '$1')
  for (const [path, operations] of Object.entries(document.paths)) {
    const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)
    const operation = operations[method.toLowerCase()]
    if (operation && pattern.test(asked)) return { path, operation }
  }
  return undefined
}

const pointer = (...steps: string[]): string =>
  `openapi#/${steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`

/** Fails unless the answer is one that the OpenAPI document declares: status, headers, media type and body. */
export async function assertDeclared(
  app: FastifyInstance,
  method: string,
  url: string,
  answer: LightMyRequestResponse,
): Promise<void> {
  const { document, ajv, everywhere } = await contractOf(app)
  const found = operationFor(document, method, url)
  if (!found) return
  const { path, operation } = found
  const what = `${method} ${path} → ${answer.statusCode}`
  const declared = operation.responses[answer.statusCode]
  assert.ok(declared, `${what} is not declared`)
  const documented = new Set(Object.keys(declared.headers ?? {}).map((name) => name.toLowerCase()))
  const undocumented = Object.keys(answer.headers).filter(
    (name) => !documented.has(name) && !everywhere.has(name) && !NOT_OF_A_ROUTE.test(name),
  )
  assert.deepEqual(undocumented, [], `${what} has headers that are not declared`)
  if (!declared.content) {
    assert.equal(answer.body, '', `${what} is declared without a body`)
    return
  }
  const mediaType = String(answer.headers['content-type']).split(';', 1)[0] ?? ''
  assert.ok(declared.content[mediaType], `${what} is not declared as ${mediaType}`)
  const validate: ValidateFunction | undefined = ajv.getSchema(
    pointer(
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      String(answer.statusCode),
      'content',
      mediaType,
      'schema',
    ),
  )
  assert.ok(validate, `${what} has no schema`)
  const body = mediaType.endsWith('json') ? answer.json() : answer.body
  assert.ok(validate(body), `${what}: ${ajv.errorsText(validate.errors)}\n${answer.body}`)
}
