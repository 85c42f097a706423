import type { Db } from '../../db/tables.ts'
import { hash } from '../../lib/passwords.ts'
import { conflict } from '../../lib/problem.ts'
import { requireOtherThanEmail } from './rules.ts'
import type { User, UserCreate } from './schema.ts'
import * as users from './store.ts'

export const EMAIL_TAKEN = 'Email already registered.'

/** Makes an account. Throws 422 for a password that is the e-mail address and 409 for a taken e-mail address. */
export async function signUp(
  db: Db,
  { password, ...person }: UserCreate,
  { is_admin = false } = {},
): Promise<User> {
  requireOtherThanEmail(password, person.email)
  if (await users.findByEmail(db, person.email)) throw conflict(EMAIL_TAKEN)
  const user = await users.create(db, { ...person, is_admin, password_hash: await hash(password) })
  if (!user) throw conflict(EMAIL_TAKEN)
  return user
}
