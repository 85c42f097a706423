import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { allOf, contains, isAmong } from '../../db/dialect.ts'
import type { Db } from '../../db/tables.ts'
import { invalid } from '../../lib/problem.ts'
import { fold } from '../../lib/text.ts'
import { SearchText } from './schema.ts'

export interface Filter {
  readonly completed?: boolean | undefined
  readonly q?: string | undefined
  /** How many todos match, where that is known. */
  readonly total?: number
  /** How many todos of the owner's do not, where that is known. */
  readonly others?: number
  /** Only these, where it is known that no others match; a text of `allOf`. */
  readonly ids?: string | undefined
}

/**
 * Up to so many todos that match are collected and then put in order. Where more match, the list is gone
 * through in the order asked for, until the page is full: with so many that is soon, unless all the others come first.
 */
const FEW = 1000

export const areFew = ({ total }: Filter): boolean => total !== undefined && total <= FEW

/**
 * The owner's todos, or those of them that are completed or not: collected, or else gone through in an order asked for.
 */
export const todosOf = (
  db: Db,
  ownerId: number | RawBuilder<number>,
  completed: boolean | undefined,
  isWalked = false,
) => {
  const todos = db.selectFrom('todos').where('owner_id', '=', ownerId)
  if (completed === undefined) return todos
  return isWalked
    ? todos.where(unforeseen(isCompleted(completed)))
    : todos.where('completed_at', completed ? 'is not' : 'is', null)
}

/** As the index `todos_sort_key` has it in SQLite, which would otherwise read the todos. */
const isCompleted = (completed: boolean) =>
  sql<SqlBool>`(completed_at is null) = ${sql.lit(!completed)}`

/**
 * The ids of the todos that match, by what the index `todos_sort_key` holds: the start of the text,
 * which mostly is all of it, and whether the todo is open. The texts that are longer are looked at by
 * themselves.
 */
function matchingIds(db: Db, ownerId: number, completed: boolean | undefined, part: string) {
  const isInTheStart = contains(db, 'sort_key', part)
  return todosOf(db, ownerId, undefined)
    .select('id')
    .where(isInTheStart)
    .$if(completed !== undefined, (todos) => todos.where(isCompleted(completed === true)))
    .unionAll(
      todosOf(db, ownerId, completed)
        .select('id')
        .where(contains(db, 'text_key', part))
        .whereRef('text_key', '<>', 'sort_key')
        .where(({ not }) => not(isInTheStart)),
    )
}

/** Of a folded text to look for. A single character of a few is eighteen when it is folded, such as the whole of a blessing. */
const FOLDED_MAX = 2 * SearchText.maxLength

/**
 * Looks for the todos with `q` in their text; gives what finds them: the ids themselves, where they are few. Throws 422
 * where `q` is too long when it is folded.
 */
export async function search(
  db: Db,
  ownerId: number,
  filter: Filter & { readonly q: string },
): Promise<Filter & { readonly total: number }> {
  const part = fold(filter.q)
  if (part.length > FOLDED_MAX) {
    const msg = 'is too long once its ligatures are written out'
    throw invalid({ loc: ['query', 'q'], msg, type: 'too_long' })
  }
  const { total, ids } = await db
    .selectFrom(matchingIds(db, ownerId, filter.completed, part).as('matches'))
    .select((of) => [
      of.fn.countAll<number>().as('total'),
      sql<string | null>`case when count(*) <= ${sql.lit(FEW)} then ${allOf(db, 'id')} end`.as(
        'ids',
      ),
    ])
    .executeTakeFirstOrThrow()
  return { ...filter, total, ids: ids ?? undefined }
}

/** The todos that `search` found. */
export function found(
  db: Db,
  ownerId: number,
  { completed, q = '', ids }: Filter,
  isWalked: boolean,
) {
  const todos = todosOf(db, ownerId, completed, isWalked)
  const matches = contains(db, 'text_key', fold(q))
  return ids === undefined
    ? todos.where(unforeseen(matches))
    : todos.where(matches).where(isAmong(db, 'id', ids))
}

/**
 * The same condition, but how often it is true is for the planner to guess, and no index of just those todos is found by it.
 * PostgreSQL estimates it from a sample of the texts; where it took a frequent word for one that is in none, it would read all
 * todos and sort them. So would both where they took the open ones, or the completed ones, to be few.
 */
const unforeseen = (condition: RawBuilder<SqlBool>) => sql<SqlBool>`coalesce(${condition}, false)`
