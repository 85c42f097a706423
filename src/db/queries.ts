import { type SelectQueryBuilder, sql } from 'kysely'
import type { Db, Tables } from './tables.ts'

/** How many rows a query has. */
export async function countOf<Table extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Table, Row>,
): Promise<number> {
  const { total } = await query
    .select((of) => of.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

/** Counts every user's todos anew, which is only needed after they were written by hand. */
export async function countTodos(db: Db): Promise<void> {
  await db.deleteFrom('todo_counts').execute()
  await sql`
    insert into todo_counts (owner_id, open, completed)
    select owner_id,
      count(*) filter (where completed_at is null),
      count(*) filter (where completed_at is not null)
    from todos group by owner_id`.execute(db)
}

export interface TableCount {
  readonly name: string
  readonly rows: number
}
