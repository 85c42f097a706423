import fastJsonStringify from 'fast-json-stringify'
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'
import { lazy } from '../lib/lazy.ts'
import { validatorOf } from './validation.ts'

type Serialize = ReturnType<FastifySerializerCompiler<unknown>>

export interface Compilers {
  readonly validator: FastifySchemaCompiler<object>
  readonly serializer: FastifySerializerCompiler<object>
  /** Compiles every schema that was not used yet. Throws on one that is wrong. */
  compileAll(): void
}

/**
 * Compiles the schemas of a route when a request first needs them: doing so for all routes at the
 * start takes longer than the rest of the start. The schemas that routes share, such as that of a
 * problem, are compiled once.
 */
export function lazyCompilers(): Compilers {
  const all = new Set<() => unknown>()
  const serializers = new WeakMap<object, () => Serialize>()

  const validator: Compilers['validator'] = ({ schema, httpPart }) => {
    const get = lazy(() => validatorOf(schema, httpPart))
    all.add(get)
    // Leaves its faults where Ajv's function would, for `allFaults`.
    const validate: ReturnType<Compilers['validator']> = (data) => {
      const compiled = get()
      const isValid = compiled(data)
      validate.errors = compiled.errors ?? null
      return isValid
    }
    return validate
  }
  const serializer: Compilers['serializer'] = (route) => {
    const get = serializers.get(route.schema) ?? lazy(() => fastJsonStringify(route.schema))
    serializers.set(route.schema, get)
    all.add(get)
    return (data) => get()(data)
  }

  return {
    validator,
    serializer,
    compileAll: () => {
      for (const get of all) get()
    },
  }
}
