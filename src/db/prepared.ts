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

/** The names of the statements that were prepared, by their text. */
const names = new Map<string, string>()

/** The name under which a database may keep a statement, where it was prepared. */
export const statementName = (text: string): string | undefined => names.get(text)

/**
 * A query that is built once for each database and then run with new values, for the few that most
 * requests make: building it anew takes longer than SQLite takes to run it. The shape of the query
 * must not depend on the values.
 */
export function prepared<Given extends Values, Row>(
  build: (db: Db, value: Placeholder<Given>) => Compilable<Row>,
): (db: Db, values: Given) => Promise<Row[]> {
  const built = new WeakMap<object, CompiledQuery<Row>>()
  const queryFor = (db: Db): CompiledQuery<Row> => {
    // Transactions on a database share its adapter.
    const { adapter } = db.getExecutor()
    const kept = built.get(adapter)
    if (kept) return kept
    const query = build(db, (name) => sql`${new Slot(name)}`).compile()
    built.set(adapter, query)
    names.set(query.sql, nameOf(query.sql))
    return query
  }
  return async (db, values) => {
    const query = queryFor(db)
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Slot ? values[parameter.name] : parameter,
    )
    const { rows } = await db.executeQuery<Row>({ ...query, parameters })
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
): (shape: Shape) => (db: Db, values: Given) => Promise<Row[]> {
  const queries = new Map<string, (db: Db, values: Given) => Promise<Row[]>>()
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
