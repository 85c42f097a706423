import type { Db } from '../../db/tables.ts'
import { hash } from '../../lib/passwords.ts'
import { conflict, invalid } from '../../lib/problem.ts'
import { passwordFaults } from './rules.ts'
import type { User, UserCreate } from './schema.ts'
import * as users from './store.ts'

export const EMAIL_TAKEN = 'Email already registered.'

/** Makes an account. Throws 422 for a common password and 409 for a taken e-mail address. */
export async function signUp(
  db: Db,
  { password, ...person }: UserCreate,
  { is_admin = false } = {},
): Promise<User> {
  const faults = await passwordFaults(password, person.email)
  if (faults.length > 0) throw invalid(...faults)
  if (await users.findByEmail(db, person.email)) throw conflict(EMAIL_TAKEN)
  const user = await users.create(db, { ...person, is_admin, password_hash: await hash(password) })
  if (!user) throw conflict(EMAIL_TAKEN)
  return user
}
