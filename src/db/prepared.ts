import { hash } from 'node:crypto'
import { type Compilable, type CompiledQuery, type RawBuilder, sql } from 'kysely'
import type { Db } from './tables.ts'

/** Stands where each run puts a value. */
class Slot {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

type Values = Readonly<Record<string, unknown>>

/** Gives the placeholder of a value. */
export type Placeholder<Given extends Values> = <Name extends keyof Given & string>(
  name: Name,
) => RawBuilder<Given[Name]>

/** What a driver knows besides of a query that was built once. */
interface Prepared {
  /** Under which a database may keep it. */
  readonly name: string
  /**
   * Whether it takes well under a millisecond by a plan that is good for any values, so that it may share a
   * connection with others.
   */
  readonly isBrief: boolean
}

export const isPrepared = (query: CompiledQuery): query is CompiledQuery & Prepared =>
  'isBrief' in query

type Run<Given extends Values, Row> = (db: Db, values: Given, isBrief?: boolean) => Promise<Row[]>

/**
 * A query that is built once for each database and then run with new values, for the few that most
 * requests make: building it anew takes longer than SQLite takes to run it. The shape of the query
 * must not depend on the values. What is not brief with some values must say so when it is run.
 */
export function prepared<Given extends Values, Row>(
  build: (db: Db, value: Placeholder<Given>) => Compilable<Row>,
): Run<Given, Row> {
  const built = new WeakMap<object, CompiledQuery<Row> & { readonly name: string }>()
  const queryFor = (db: Db): CompiledQuery<Row> & { readonly name: string } => {
    // Transactions on a database share its adapter.
    const { adapter } = db.getExecutor()
    const kept = built.get(adapter)
    if (kept) return kept
    const compiled = build(db, (name) => sql`${new Slot(name)}`).compile()
    const query = { ...compiled, name: nameOf(compiled.sql) }
    built.set(adapter, query)
    return query
  }
  return async (db, values, isBrief = true) => {
    const query = queryFor(db)
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Slot ? values[parameter.name] : parameter,
    )
    const run: CompiledQuery<Row> & Prepared = { ...query, parameters, isBrief }
    const { rows } = await db.executeQuery<Row>(run)
    return rows
  }
}

/**
 * The same for a query of several shapes, of which each is built when it is first asked for. The
 * names must tell the shapes apart, and be few.
 */
export function preparedByShape<Shape, Given extends Values, Row>(
  nameOf: (shape: Shape) => string,
  build: (shape: Shape) => (db: Db, value: Placeholder<Given>) => Compilable<Row>,
): (shape: Shape) => Run<Given, Row> {
  const queries = new Map<string, Run<Given, Row>>()
  return (shape) => {
    const name = nameOf(shape)
    const query = queries.get(name) ?? prepared(build(shape))
    queries.set(name, query)
    return query
  }
}

/** Of the text, so that processes and versions that share a pooler's connections agree. */
const nameOf = (text: string): string => `todo_${hash('sha256', text, 'hex').slice(0, 24)}`

/** For a query that is built for one run: each value itself in the place of its placeholder. */
export const given =
  <Given extends Values>(values: Given): Placeholder<Given> =>
  (name) =>
    sql`${values[name]}`
