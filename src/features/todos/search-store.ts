import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { allOf, contains, isAmong } from '../../db/dialect.ts'
import type { Db } from '../../db/tables.ts'
import { fold } from '../../lib/text.ts'

export interface Filter {
  readonly completed?: boolean | undefined
  readonly q?: string | undefined
  /** Only these, where it is known that no others match; a text of `allOf`. */
  readonly ids?: string | undefined
}

/** The owner's todos, or those of them that are completed or not. */
export const todosOf = (
  db: Db,
  ownerId: number | RawBuilder<number>,
  completed: boolean | undefined,
) =>
  db
    .selectFrom('todos')
    .where('owner_id', '=', ownerId)
    .$if(completed === true, (todos) => todos.where('completed_at', 'is not', null))
    .$if(completed === false, (todos) => todos.where('completed_at', 'is', null))

/**
 * The ids of the todos that match, by what the index `todos_sort_key` holds: the start of the text,
 * which mostly is all of it, and whether the todo is open. The texts that are longer are looked at by
 * themselves.
 */
function matchingIds(db: Db, ownerId: number, completed: boolean | undefined, part: string) {
  const isInTheStart = contains(db, 'sort_key', part)
  const isOpen = sql<boolean>`(completed_at is null)`
  return todosOf(db, ownerId, undefined)
    .select('id')
    .where(isInTheStart)
    .$if(completed !== undefined, (todos) => todos.where(isOpen, '=', sql.lit(!completed)))
    .unionAll(
      todosOf(db, ownerId, completed)
        .select('id')
        .where(contains(db, 'text_key', part))
        .whereRef('text_key', '<>', 'sort_key')
        .where(({ not }) => not(isInTheStart)),
    )
}

/**
 * Up to so many todos that match are collected and then put in order. Where more match, the list is gone
 * through in the order asked for, until the page is full: with so many that is soon.
 */
const FEW = 1000

export interface Matches {
  /** What finds them: the ids themselves, where they are few. */
  readonly filter: Filter
  readonly total: number
}

/** Looks for the todos with `q` in their text. */
export async function search(
  db: Db,
  ownerId: number,
  filter: Filter & { readonly q: string },
): Promise<Matches> {
  const { total, ids } = await db
    .selectFrom(matchingIds(db, ownerId, filter.completed, fold(filter.q)).as('matches'))
    .select((of) => [
      of.fn.countAll<number>().as('total'),
      sql<string | null>`case when count(*) <= ${sql.lit(FEW)} then ${allOf(db, 'id')} end`.as(
        'ids',
      ),
    ])
    .executeTakeFirstOrThrow()
  return { filter: { ...filter, ids: ids ?? undefined }, total }
}

/** The todos that `search` found. */
export function found(db: Db, ownerId: number, { completed, q = '', ids }: Filter) {
  const todos = todosOf(db, ownerId, completed)
  const matches = contains(db, 'text_key', fold(q))
  return ids === undefined
    ? todos.where(unforeseen(matches))
    : todos.where(matches).where(isAmong(db, 'id', ids))
}

/**
 * The same condition, but how often it is true is for the planner to guess. PostgreSQL estimates it from a
 * sample of the texts; where it took a frequent word for one that is in none, it would read all
 * todos and sort them.
 */
const unforeseen = (condition: RawBuilder<SqlBool>) => sql<SqlBool>`coalesce(${condition}, false)`
