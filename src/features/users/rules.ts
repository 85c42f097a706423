import { invalid } from '../../lib/problem.ts'
import { fold } from '../../lib/text.ts'
import { NewPassword } from './schema.ts'

/** What a form says of a new password. */
export const PASSWORD_HINT = `At least ${NewPassword.minLength} characters, and not a common password. A few words make a good one.`

/**
 * Throws 422 for a password that is the account's own e-mail address, or the name in it; at `field`, whichever of
 * the two is new.
 */
export function requireOtherThanEmail(
  password: string,
  email: string,
  field: 'password' | 'email' = 'password',
): void {
  const folded = fold(password)
  const [name = ''] = fold(email).split('@')
  if (folded === name || folded === fold(email)) {
    const msg =
      field === 'email' ? 'must not begin with the password' : 'must not be the e-mail address'
    throw invalid({ loc: ['body', field], msg, type: 'common_password' })
  }
}
