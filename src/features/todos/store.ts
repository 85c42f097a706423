import { sql } from 'kysely'
import { given, type Placeholder, prepared, preparedByShape } from '../../db/prepared.ts'
import type { Db, TodoRow } from '../../db/tables.ts'
import { fold, sortKey } from '../../lib/text.ts'
import { now } from '../../lib/time.ts'
import type { Versions } from '../../lib/versions.ts'
import * as users from '../users/store.ts'
import { countingChanged, countingRemoved, type Which, type WhichVersions } from './count-store.ts'
import type { Todo, TodoUpdate, TodoWithOwner } from './schema.ts'

/** A todo with the version that its entity tag is made of. */
export type Versioned<Shape> = Shape & { readonly version: number }

export const columns = [
  'todos.id',
  'todos.text',
  'todos.completed_at',
  'todos.owner_id',
  'todos.version',
  'todos.created_at',
  'todos.updated_at',
] as const

type Columns = Omit<TodoRow, 'text_key' | 'sort_key'>

/** The columns as the API shows them. */
export const shown = (todo: Columns): Versioned<Todo> & Pick<TodoRow, 'completed_at'> => ({
  id: todo.id,
  text: todo.text,
  completed: todo.completed_at !== null,
  completed_at: todo.completed_at,
  owner_id: todo.owner_id,
  version: todo.version,
  created_at: todo.created_at,
  updated_at: todo.updated_at,
})

/** The columns that a text is in. */
export function keys(text: string) {
  // Once: of a long run of marks it takes milliseconds.
  const folded = fold(text)
  return { text, text_key: folded, sort_key: sortKey(folded) }
}

type OwnedId = { ownerId: number; id: number }

const byId = prepared((db, value: Placeholder<OwnedId>) =>
  db
    .selectFrom('todos')
    .select(columns)
    .where('owner_id', '=', value('ownerId'))
    .where('id', '=', value('id')),
)

export async function find(
  db: Db,
  ownerId: number,
  id: number,
): Promise<Versioned<Todo> | undefined> {
  const [row] = await byId(db, { ownerId, id })
  return row && shown(row)
}

const byIdWithOwner = prepared((db, value: Placeholder<OwnedId>) =>
  db
    .selectFrom('todos')
    .innerJoin('users', 'users.id', 'todos.owner_id')
    .select(columns)
    .select([
      'users.email',
      'users.fname',
      'users.lname',
      'users.admin_since',
      'users.version as owner_version',
      'users.created_at as owner_created_at',
      'users.updated_at as owner_updated_at',
    ])
    .where('owner_id', '=', value('ownerId'))
    .where('todos.id', '=', value('id')),
)

export async function findWithOwner(
  db: Db,
  ownerId: number,
  id: number,
): Promise<(Versioned<TodoWithOwner> & { owner_version: number }) | undefined> {
  const [row] = await byIdWithOwner(db, { ownerId, id })
  if (!row) return undefined
  const owner = users.shown({
    ...row,
    id: row.owner_id,
    created_at: row.owner_created_at,
    updated_at: row.owner_updated_at,
  })
  return { ...shown(row), owner, owner_version: row.owner_version }
}

const whichOf = (versions?: Versions): WhichVersions => {
  if (versions === undefined) return 'any'
  return 'length' in versions && versions.length === 1 ? 'one' : versions
}

/** For the statement that is for one version; the others leave it alone. */
const oneOf = (versions: Versions = []): number => ('length' in versions ? (versions[0] ?? 0) : 0)

interface Change {
  readonly hasText: boolean
  readonly completed: boolean | undefined
  readonly versions: WhichVersions
}

type Changed = Which & Pick<TodoRow, 'text' | 'text_key' | 'sort_key'> & { at: string }

const change =
  ({ hasText, completed, versions }: Change) =>
  (db: Db, value: Placeholder<Changed>) => {
    const { queries, isIt } = countingChanged(db, value, versions, completed)
    const text = {
      text: value('text'),
      text_key: value('text_key'),
      sort_key: value('sort_key'),
    }
    // Completed again is completed since the first time.
    const completed_at = completed ? sql<string>`coalesce(completed_at, ${value('at')})` : null
    return queries
      .updateTable('todos')
      .set({
        ...(hasText ? text : {}),
        ...(completed === undefined ? {} : { completed_at }),
        version: sql`version + 1`,
        updated_at: value('at'),
      })
      .where(isIt)
      .returning(columns)
  }

/** There are ten of them. */
const preparedChange = preparedByShape(
  ({ hasText, completed, versions }: Change) => `${hasText} ${completed} ${versions}`,
  change,
)

/** Changes a todo that is the owner's and, where versions are named, has one of them. */
export async function update(
  db: Db,
  ownerId: number,
  id: number,
  { text, completed }: TodoUpdate,
  versions?: Versions,
): Promise<Versioned<Todo> | undefined> {
  const shape = { hasText: text !== undefined, completed, versions: whichOf(versions) }
  const values = { ownerId, id, version: oneOf(versions), ...keys(text ?? ''), at: now() }
  const [row] =
    typeof shape.versions === 'string'
      ? await preparedChange(shape)(db, values)
      : await change(shape)(db, given(values)).execute()
  return row && shown(row)
}

const removal = (versions: WhichVersions) => (db: Db, value: Placeholder<Which>) => {
  const { queries, isIt } = countingRemoved(db, value, versions)
  return queries.deleteFrom('todos').where(isIt).returning('id')
}

const preparedRemovals = { any: prepared(removal('any')), one: prepared(removal('one')) }

/** Whether there was such a todo of the owner's, in one of the versions where they are named. */
export async function remove(
  db: Db,
  ownerId: number,
  id: number,
  versions?: Versions,
): Promise<boolean> {
  const named = whichOf(versions)
  const values = { ownerId, id, version: oneOf(versions) }
  const rows =
    typeof named === 'string'
      ? await preparedRemovals[named](db, values)
      : await removal(named)(db, given(values)).execute()
  return rows.length > 0
}
