import { persistently } from '../../db/overtaken.ts'
import type { Db } from '../../db/tables.ts'
import { hash, verify } from '../../lib/passwords.ts'
import { conflict, invalid } from '../../lib/problem.ts'
import { limited, limitsOfSession } from '../password-attempts/actions.ts'
import * as sessions from '../sessions/store.ts'
import { EMAIL_TAKEN } from '../users/actions.ts'
import { requireOtherThanEmail } from '../users/rules.ts'
import type { User } from '../users/schema.ts'
import * as users from '../users/store.ts'
import type { AccountUpdate } from './schema.ts'

/** The person at the keyboard: signed in, and allowed so many wrong passwords. */
export interface Person {
  readonly id: number
  readonly session_id: number
  readonly failures: number
}

/**
 * Gives the account as it was when the password was found to be its own. Throws 422 at `field` when it
 * is not, and 429 after too many tries.
 */
async function requirePassword(
  db: Db,
  person: Person,
  password: string,
  field: string,
): Promise<users.KeptPassword> {
  const kept = await users.getKeptPassword(db, person.id)
  const fits = await limited(db, limitsOfSession(person, person.failures), async () =>
    (await verify(password, kept.password_hash)) ? true : undefined,
  )
  if (!fits)
    throw invalid({
      loc: ['body', field],
      msg: 'is wrong',
      type: 'wrong_password',
    })
  return kept
}

/**
 * Changes the account. A new password ends every other session. Throws 409, 422 and 429. No change is no
 * write: it would give each of the account's todos a new entity tag.
 */
export async function change(db: Db, person: Person, changes: AccountUpdate): Promise<User> {
  const { password, current_password, ...names } = changes
  const account = await users.get(db, person.id)
  if (password === undefined && Object.keys(names).length === 0) return account
  let kept: users.KeptPassword | undefined
  if (password !== undefined || changes.email !== undefined) {
    if (current_password === undefined) {
      const msg = 'is required to change the e-mail address or the password'
      throw invalid({ loc: ['body', 'current_password'], msg, type: 'missing' })
    }
    kept = await requirePassword(db, person, current_password, 'current_password')
  }
  if (password !== undefined) {
    requireOtherThanEmail(password, changes.email ?? account.email)
  } else if (current_password !== undefined && changes.email !== undefined) {
    requireOtherThanEmail(current_password, changes.email, 'email')
  }
  const password_hash = password === undefined ? undefined : await hash(password)
  const changed = await db.transaction().execute(async (db) => {
    if (kept && !(await users.hold(db, kept))) return undefined
    if (names.email !== undefined && (await users.isTaken(db, names.email, person.id))) {
      throw conflict(EMAIL_TAKEN)
    }
    const user = await users.update(db, person.id, {
      ...names,
      ...(password_hash === undefined ? {} : { password_hash }),
    })
    // Behind the change, so that no sign-in comes between.
    if (password_hash !== undefined) await sessions.removeAll(db, person.id, person.session_id)
    return user
  })
  // Somebody was quicker, perhaps with another password.
  return changed ?? change(db, person, changes)
}

/**
 * Erases the account and all it owns, once it is signed out everywhere, so that nobody goes on
 * writing to it. Throws 422 for a wrong password.
 */
export async function erase(db: Db, person: Person, password: string): Promise<void> {
  await requirePassword(db, person, password, 'password')
  await sessions.removeAll(db, person.id)
  await persistently(() => db.transaction().execute((db) => users.remove(db, person.id)))
}
