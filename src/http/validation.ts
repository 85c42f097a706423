import { Ajv, type ErrorObject, type FuncKeywordDefinition, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { TSchema } from 'typebox'
import { isCommon } from '../lib/common-passwords.ts'
import { isRecord } from '../lib/record.ts'
import { type Fault, repeatedAt } from '../lib/problem.ts'

/** A request with more faults than this is not an honest mistake; the rest goes unsaid. */
const FAULTS_MAX = 50
/** No request has nearly as many fields; each more would cost the server an error of its own. */
export const FIELDS_MAX = 100
/** A place is for finding a field again, not for carrying a body back. */
const STEP_MAX = 100

/** Trims before any length is checked, and hands the trimmed text on. */
const trim: FuncKeywordDefinition = {
  keyword: 'x-trim',
  type: 'string',
  before: 'maxLength',
  modifying: true,
  errors: false,
  validate: (
    _on: true,
    text: string,
    _schema: unknown,
    place: { parentData: Record<string, unknown>; parentDataProperty: string | number } | undefined,
  ) => {
    if (place) place.parentData[place.parentDataProperty] = text.trim()
    return true
  },
}

/**
 * Refuses NUL, which PostgreSQL cannot store, and half of a surrogate pair, which UTF-8 cannot encode:
 * text that one of the databases would change or refuse is refused at the door. As a `pattern` in the
 * OpenAPI document it would stop generated clients, most of which read it with other rules than ours.
 */
const storable: FuncKeywordDefinition = {
  keyword: 'x-storable',
  type: 'string',
  errors: false,
  validate: (_on: true, text: string) => text.isWellFormed() && !text.includes('\0'),
}

/** Refuses the passwords that are tried first, together with the other faults of the request. */
const uncommon: FuncKeywordDefinition = {
  keyword: 'x-uncommon',
  type: 'string',
  errors: false,
  validate: (_on: true, password: string) => !isCommon(password),
}

function compiler(options: Options) {
  const ajv = new Ajv({
    ...options,
    allErrors: true,
    useDefaults: true,
    removeAdditional: false,
    strictTypes: false,
    // The schema of schemas takes 40 ms to compile, and Ajv refuses unknown keywords and values of a
    // wrong type without it.
    meta: false,
    validateSchema: false,
  })
  addFormats.default(ajv)
  ajv.addKeyword(trim)
  ajv.addKeyword(storable)
  ajv.addKeyword(uncommon)
  return ajv
}

/** JSON says what type it means, so it is taken at its word. */
const json = compiler({ coerceTypes: false })
/** Paths, queries and headers are text, which is read as the type that the schema names. */
const text = compiler({
  coerceTypes: true,
  // Else Ajv holds a number of 400 digits, which is infinite, to no limit.
  strictNumbers: false,
  // What was given several times is known by its value.
  verbose: true,
})
const fewFields = json.compile({ maxProperties: FIELDS_MAX })

/** The check of a part of a request: `body`, or one of those that are text. */
export function validatorOf(schema: object, part: string | undefined): Validate {
  const compiled = (part === 'body' ? json : text).compile(schema)
  const isClosed = 'additionalProperties' in schema && schema.additionalProperties === false
  const integers = part === 'body' ? [] : integersOf(schema)
  if (!isClosed && integers.length === 0) return compiled
  const validate: Validate = (values) => {
    refuseOtherNotations(values, integers)
    const check = isClosed && !fewFields(values) ? fewFields : compiled
    const isValid = check(values)
    validate.errors = check.errors
    return isValid
  }
  return validate
}

interface Validate {
  (values: unknown): boolean
  errors?: ErrorObject[] | null | undefined
}

function integersOf(schema: object): string[] {
  if (!('properties' in schema && isRecord(schema.properties))) return []
  return Object.entries(schema.properties).flatMap(([name, property]) =>
    isRecord(property) && property.type === 'integer' ? [name] : [],
  )
}

const DECIMAL = /^-?\d+$/

/** Ajv reads a number as JavaScript does, so that `0x10` would be 16, and `1e1` ten. A word it takes for none. */
function refuseOtherNotations(values: unknown, integers: readonly string[]): void {
  if (!isRecord(values)) return
  for (const name of integers) {
    const value = values[name]
    if (typeof value === 'string' && !DECIMAL.test(value)) values[name] = 'none'
  }
}

/** The faults of a value that did not come by HTTP; `loc` starts with the field. */
export function faultsIn(schema: TSchema, value: unknown): Fault[] {
  const validate = json.compile(schema)
  validate(value)
  return faultsOf(validate.errors ?? [], '').map((fault) => ({ ...fault, loc: fault.loc.slice(1) }))
}

const s = (count: unknown) => (count === 1 ? '' : 's')

/** Says a fault so that a person can mend it. */
function sentence({ keyword, params, message }: ErrorObject): { msg: string; type: string } {
  switch (keyword) {
    case 'required':
      return { msg: 'is required', type: 'missing' }
    case 'additionalProperties':
      return { msg: 'is not a field of this request', type: 'unknown_field' }
    case 'type':
      return { msg: `must be ${article(String(params.type))}`, type: 'wrong_type' }
    case 'enum':
      return { msg: `must be one of ${params.allowedValues.join(', ')}`, type: 'not_allowed' }
    case 'const':
      return { msg: `must be ${params.allowedValue}`, type: 'not_allowed' }
    case 'minLength':
      return {
        msg: `must have at least ${params.limit} character${s(params.limit)}`,
        type: 'too_short',
      }
    case 'maxLength':
      return {
        msg: `must have at most ${params.limit} character${s(params.limit)}`,
        type: 'too_long',
      }
    case 'minimum':
      return { msg: `must be at least ${params.limit}`, type: 'too_small' }
    case 'maximum':
      return { msg: `must be at most ${params.limit}`, type: 'too_large' }
    case 'maxProperties':
      return { msg: `must have at most ${params.limit} fields`, type: 'too_many_fields' }
    case 'format':
      return { msg: `must be a valid ${params.format}`, type: 'wrong_format' }
    case 'pattern':
    case 'x-storable':
      return { msg: 'has characters that are not allowed here', type: 'wrong_format' }
    case 'x-uncommon':
      return {
        msg: 'is among the passwords that are tried first; choose another',
        type: 'common_password',
      }
    default:
      return { msg: message ?? 'is not valid', type: keyword }
  }
}

const shortened = (step: string): string =>
  `${step.slice(0, STEP_MAX)}${step.length > STEP_MAX ? '…' : ''}`.toWellFormed()

const article = (type: string) => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)

/** The faults that a validator found in a part of the request: body, query, path or header. */
export function faultsOf(errors: readonly ErrorObject[], part: string): Fault[] {
  return errors.slice(0, FAULTS_MAX).map((error) => {
    const field = error.params.missingProperty ?? error.params.additionalProperty
    const path = error.instancePath
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
      .map((step) => (/^\d{1,15}$/.test(step) ? Number(step) : shortened(step)))
    const loc = [part, ...path, ...(field === undefined ? [] : [shortened(String(field))])]
    const isRepeated = error.keyword === 'type' && Array.isArray(error.data)
    return isRepeated ? repeatedAt(loc) : { loc, ...sentence(error) }
  })
}
