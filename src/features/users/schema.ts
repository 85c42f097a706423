import { type Static, Type } from 'typebox'
import { closed, Id, Time, trimmed, verbatim } from '../../lib/shapes.ts'

export const Email = Type.With(Type.String(), {
  format: 'email',
  maxLength: 254,
  'x-trim': true,
  examples: ['ann@example.com'],
})

/** Length in Unicode characters (NIST SP 800-63B §3.1.1.2); the common ones are refused. */
export const NewPassword = Type.With(
  verbatim({
    minLength: 8,
    maxLength: 128,
    format: 'password',
    writeOnly: true,
    description: 'Not among the common passwords.',
    examples: ['correct horse battery'],
  }),
  { 'x-uncommon': true },
)

/** A password that exists already, by whatever rules it was chosen; its length bounds the hashing. */
export const Password = verbatim({
  minLength: 1,
  maxLength: 1024,
  format: 'password',
  writeOnly: true,
  examples: ['correct horse battery'],
})

export const FirstName = trimmed({ minLength: 1, maxLength: 100, examples: ['Ann'] })
export const LastName = trimmed({ minLength: 1, maxLength: 100, examples: ['Archer'] })

/** What everyone who may see a user sees of them. */
export const User = closed(
  {
    id: Id,
    email: Type.String({ examples: ['ann@example.com'] }),
    fname: Type.String({ examples: ['Ann'] }),
    lname: Type.String({ examples: ['Archer'] }),
    is_admin: Type.Boolean(),
    created_at: Time,
    updated_at: Time,
  },
  { title: 'User' },
)
export type User = Static<typeof User>

export const UserCreate = closed(
  { email: Email, password: NewPassword, fname: FirstName, lname: LastName },
  { title: 'UserCreate' },
)
export type UserCreate = Static<typeof UserCreate>
