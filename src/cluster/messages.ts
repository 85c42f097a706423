import type { MetricObject } from 'prom-client'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'

/** What the supervisor tells a worker. */
export const Order = Type.Union([
  Type.Object({
    order: Type.Literal('start'),
    preparation: Type.Enum(['start', 'restart', 'none']),
  }),
  Type.Object({ order: Type.Literal('keep house') }),
  /** Serve on, but say on `/ready` that this will end. */
  Type.Object({ order: Type.Literal('announce stop') }),
  Type.Object({ order: Type.Literal('tell metrics') }),
  /** The metrics of all, which the worker had asked for. */
  Type.Object({ order: Type.Literal('metrics'), text: Type.String() }),
  /** Finish the open requests, then end. */
  Type.Object({ order: Type.Literal('leave') }),
])
export type Order = Static<typeof Order>

/** A sign of life; `rss` is the resident memory in bytes. */
const Beat = Type.Object({
  report: Type.Literal('beat'),
  requests: Type.Integer(),
  rss: Type.Integer(),
})
export type Beat = Static<typeof Beat>

/** What a worker tells the supervisor. */
export const Report = Type.Union([
  /** It starts, and may take long about it. */
  Type.Object({ report: Type.Literal('migrating') }),
  Type.Object({ report: Type.Literal('serving') }),
  Beat,
  Type.Object({
    report: Type.Literal('metrics'),
    metrics: Type.Array(Type.Unsafe<MetricObject>({ type: 'object' })),
  }),
  Type.Object({ report: Type.Literal('ask for metrics') }),
  Type.Object({ report: Type.Literal('replace me'), reason: Type.String() }),
])
export type Report = Static<typeof Report>

/** Calls `hear` with each message that is of `schema`; Node sends others over the same channel. */
export const listener =
  <Schema extends TSchema>(schema: Schema, hear: (message: Static<Schema>) => void) =>
  (message: unknown): void => {
    if (Value.Check(schema, message)) hear(message)
  }
