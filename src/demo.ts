import { dropAll, migrate } from './db/migrate.ts'
import type { Db } from './db/tables.ts'
import { add } from './features/todos/add-store.ts'
import { list as listTodos } from './features/todos/list-store.ts'
import * as users from './features/users/store.ts'
import { ForeseenError } from './lib/foreseen.ts'
import { hash } from './lib/passwords.ts'

interface DemoAccount {
  readonly email: string
  readonly password: string
  readonly fname: string
  readonly lname: string
  readonly todos: ReadonlyArray<readonly [text: string, completed: boolean]>
}

const accounts: readonly DemoAccount[] = [
  {
    email: 'johndoe@example.com',
    password: 'secret',
    fname: 'John',
    lname: 'Doe',
    todos: [
      ['Buy milk and oats', true],
      ['Call the dentist about Thursday', false],
      ['Renew the library card', false],
      ['Water the tomatoes', true],
      ['Write to Grandma', false],
      ['Fix the squeaking door', false],
      ['Back up the photos', true],
      ['Read the chapter on indexes', false],
      ['Book the train to Lyon', false],
      ['Pay the electricity bill', true],
    ],
  },
  {
    email: 'alice@example.com',
    password: 'secret2',
    fname: 'Alice',
    lname: 'Smith',
    todos: [
      ['Sketch the poster', false],
      ['Order new brushes', true],
      ['Return the borrowed ladder', false],
      ['Plan the spring picnic', false],
    ],
  },
]

const ORDER = { sort: 'id', descending: false } as const

/** A reset was asked of a database with something of somebody's in it. */
class NotOnlyDemoData extends ForeseenError {
  constructor() {
    super(
      'The database holds more than the demo data, so it is not reset. ' +
        'A start without RESET_DB leaves it as it is; RESET_DB=force, or `todo reset --force`, drops it all.',
    )
    this.name = 'NotOnlyDemoData'
  }
}

/** Whether every account and todo is one that the demo data put there, and unchanged. */
async function holdsOnlyDemoData(db: Db): Promise<boolean> {
  for (const { id, email, version } of await users.listVersions(db)) {
    const account = accounts.find((each) => each.email === email)
    if (!account || version !== 1) return false
    const kept = await listTodos(db, id, {}, ORDER, { offset: 0 }, account.todos.length + 1)
    const isDemo = kept.every(
      (todo) => todo.version === 1 && account.todos.some(([text]) => text === todo.text),
    )
    if (!isDemo || kept.length > account.todos.length) return false
  }
  return true
}

/**
 * Drops everything and loads the demo data. Throws `NotOnlyDemoData` when there is something else
 * in the database, and `NewerSchema` when a newer version used it, unless forced.
 */
export async function resetToDemo(db: Db, { force }: { force: boolean }): Promise<void> {
  if (!force) {
    // A database of an older version can be looked through once it has this version's tables.
    await migrate(db)
    if (!(await holdsOnlyDemoData(db))) throw new NotOnlyDemoData()
  }
  await dropAll(db)
  await migrate(db)
  const hashed = await Promise.all(accounts.map(({ password }) => hash(password)))
  await db.transaction().execute(async (db) => {
    for (const [index, { email, fname, lname, todos: texts }] of accounts.entries()) {
      const user = await users.create(db, {
        email,
        fname,
        lname,
        password_hash: hashed[index] ?? '',
      })
      // Another process loaded them while this one was waiting.
      if (!user) return
      for (const [text, completed] of texts) await add(db, user.id, { text, completed })
    }
  })
}
