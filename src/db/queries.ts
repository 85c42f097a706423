import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { containing, fold } from '../lib/text.ts'
import type { Tables } from './tables.ts'

/** How many rows a query has. */
export async function countOf<Table extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Table, Row>,
): Promise<number> {
  const { total } = await query
    .select((of) => of.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export interface TableCount {
  readonly name: string
  readonly rows: number
}

/** That the folded text in `column` has `text` in it somewhere. */
export const contains = (column: string, text = '') =>
  sql<SqlBool>`${sql.ref(column)} like ${containing(fold(text))} escape '\\'`
