import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { migrate } from '../db/migrate.ts'
import type { Db } from '../db/tables.ts'
import * as sessions from '../features/sessions/store.ts'
import { signUp } from '../features/users/actions.ts'
import { requireOtherThanEmail } from '../features/users/rules.ts'
import { NewPassword, UserCreate } from '../features/users/schema.ts'
import * as users from '../features/users/store.ts'
import { faultsIn } from '../http/validation.ts'
import { hash } from '../lib/passwords.ts'
import { type Fault, invalid, notFound } from '../lib/problem.ts'
import { closed } from '../lib/shapes.ts'
import { ask, askPassword } from './ask.ts'
import { withDatabase, withMigratedDatabase } from './database.ts'
import { UsageError, usage } from './usage.ts'

interface Flags {
  readonly fname?: string | undefined
  readonly lname?: string | undefined
  readonly admin?: boolean | undefined
}

const PAGE = 1000

/** What would steer a terminal, or look like the end of a field or a line to a program that reads the list. */
const NOT_TEXT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** `todo user …`: gives the lines to print. Throws `UsageError`, or the `Problem` that a client would get. */
export async function userCommand(
  config: Config,
  logger: FastifyBaseLogger,
  [verb, email, ...surplus]: readonly string[],
  flags: Flags,
): Promise<string[]> {
  if (verb === 'list' && email === undefined) {
    return withMigratedDatabase(config, logger, listUsers)
  }
  if (email === undefined || surplus.length > 0) throw new UsageError(usage)
  switch (verb) {
    case 'create':
      // The first account may be made before the service is started for the first time.
      if (config.updateDb) await withDatabase(config, logger, migrate)
      return withMigratedDatabase(config, logger, (db) => createUser(db, email, flags))
    case 'promote':
      return withMigratedDatabase(config, logger, (db) => promoteUser(db, email))
    case 'demote':
      return withMigratedDatabase(config, logger, (db) => demoteUser(db, email))
    case 'password':
      return withMigratedDatabase(config, logger, (db) => setPassword(db, email))
    default:
      throw new UsageError(usage)
  }
}

async function listUsers(db: Db): Promise<string[]> {
  const lines: string[] = []
  for (let offset = 0; ; offset += PAGE) {
    const page = await users.list(db, { offset, limit: PAGE })
    for (const { id, email, fname, lname, is_admin } of page) {
      const texts = [email, fname, lname].map((text) => text.replaceAll(NOT_TEXT, '\uFFFD'))
      lines.push([id, ...texts, is_admin ? 'administrator' : 'user'].join('\t'))
    }
    if (page.length < PAGE) return lines
  }
}

async function createUser(
  db: Db,
  email: string,
  { fname, lname, admin = false }: Flags,
): Promise<string[]> {
  const input = {
    email,
    fname: fname ?? (await ask('First name: ', 'fname')),
    lname: lname ?? (await ask('Last name: ', 'lname')),
    password: await askPassword(),
  }
  refuse(faultsIn(UserCreate, input))
  const user = await signUp(db, input, { is_admin: admin })
  return [`Made ${admin ? 'the administrator' : 'the user'} ${user.email} with id ${user.id}.`]
}

async function promoteUser(db: Db, email: string): Promise<string[]> {
  await users.promote(db, (await getByEmail(db, email)).id)
  return [`${email} is an administrator.`]
}

/** The last administrator too: who has the command line makes another. */
async function demoteUser(db: Db, email: string): Promise<string[]> {
  await users.demote(db, (await getByEmail(db, email)).id)
  return [`${email} is an ordinary user.`]
}

async function setPassword(db: Db, email: string): Promise<string[]> {
  const { id } = await getByEmail(db, email)
  const password = await askPassword()
  refuse(faultsIn(closed({ password: NewPassword }), { password }))
  requireOtherThanEmail(password, email)
  const password_hash = await hash(password)
  await db.transaction().execute(async (db) => {
    await users.update(db, id, { password_hash })
    await sessions.removeAll(db, id)
  })
  return [`${email} has a new password; every session of theirs has ended.`]
}

async function getByEmail(db: Db, email: string): Promise<{ id: number }> {
  const user = await users.findByEmail(db, email)
  if (!user) throw notFound(`User ${email}`)
  return user
}

function refuse(faults: readonly Fault[]): void {
  if (faults.length > 0) throw invalid(...faults)
}
