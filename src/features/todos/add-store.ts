import { type Placeholder, prepared } from '../../db/prepared.ts'
import type { Db } from '../../db/tables.ts'
import { together } from '../../db/together.ts'
import { now } from '../../lib/time.ts'
import { countingAdded, countingAllAdded, type NewTodo, type NewTodos } from './count-store.ts'
import type { Todo, TodoCreate } from './schema.ts'
import { columns, keys, shown, type Versioned } from './store.ts'

const insert = prepared((db, value: Placeholder<NewTodo & { open: number; completed: number }>) =>
  countingAdded(db, value)
    .insertInto('todos')
    .values({
      owner_id: value('owner_id'),
      text: value('text'),
      text_key: value('text_key'),
      sort_key: value('sort_key'),
      completed_at: value('completed_at'),
      created_at: value('created_at'),
      updated_at: value('created_at'),
    })
    .returning(columns),
)

async function addAlone(db: Db, todo: NewTodo) {
  const open = todo.completed_at === null ? 1 : 0
  const [row] = await insert(db, { ...todo, open, completed: 1 - open })
  if (!row) throw new Error('the database gave no row for an insert')
  return row
}

const insertAll = prepared((db, value: Placeholder<NewTodos>) =>
  countingAllAdded(db, value)
    .insertInto('todos')
    .columns([
      'owner_id',
      'text',
      'text_key',
      'sort_key',
      'completed_at',
      'created_at',
      'updated_at',
    ])
    .expression((db) =>
      db
        .selectFrom('added')
        .select([
          'owner_id',
          'text',
          'text_key',
          'sort_key',
          'completed_at',
          'created_at',
          'created_at as updated_at',
        ])
        .orderBy('position'),
    )
    .returning(columns),
)

async function addTogether(db: Db, todos: readonly NewTodo[]) {
  const rows = await insertAll(db, {
    owner_id: todos.map(({ owner_id }) => owner_id),
    text: todos.map(({ text }) => text),
    text_key: todos.map(({ text_key }) => text_key),
    sort_key: todos.map(({ sort_key }) => sort_key),
    completed_at: todos.map(({ completed_at }) => completed_at),
    created_at: todos.map(({ created_at }) => created_at),
  })
  // They come in the order given, and of an owner all or none.
  const inOrder = rows.values()
  let next = inOrder.next()
  return todos.map(({ owner_id }) => {
    const row = next.value
    if (row?.owner_id !== owner_id) return undefined
    next = inOrder.next()
    return row
  })
}

const write = together({ alone: addAlone, together: addTogether })

/** Adds a todo of the owner's. */
export async function add(
  db: Db,
  ownerId: number,
  { text, completed = false }: TodoCreate,
): Promise<Versioned<Todo>> {
  const created_at = now()
  const completed_at = completed ? created_at : null
  return shown(await write(db, { owner_id: ownerId, ...keys(text), completed_at, created_at }))
}
