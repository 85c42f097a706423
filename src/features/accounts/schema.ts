import { type Static, Type } from 'typebox'
import { closed } from '../../lib/shapes.ts'
import { Email, FirstName, LastName, NewPassword, Password } from '../users/schema.ts'

export const AccountUpdate = closed(
  {
    fname: Type.Optional(FirstName),
    lname: Type.Optional(LastName),
    email: Type.Optional(Email),
    password: Type.Optional(NewPassword),
    current_password: Type.Optional(Password),
  },
  {
    title: 'AccountUpdate',
    description: 'A new e-mail address or password needs the current password.',
    examples: [{ fname: 'Ann', lname: 'Archer' }],
  },
)
export type AccountUpdate = Static<typeof AccountUpdate>

/** The forms of the account page. */
export const NamesForm = closed({ fname: FirstName, lname: LastName })
export const EmailForm = closed({ email: Email, current_password: Password })
export const PasswordForm = closed({ current_password: Password, password: NewPassword })

export const AccountDelete = closed({ password: Password }, { title: 'AccountDelete' })
