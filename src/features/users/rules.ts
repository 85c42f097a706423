import { invalid } from '../../lib/problem.ts'
import { fold } from '../../lib/text.ts'

/** Throws 422 for a password that is the account's own e-mail address, or the name in it. */
export function requireOtherThanEmail(password: string, email: string): void {
  const folded = fold(password)
  const [name = ''] = fold(email).split('@')
  if (folded === name || folded === fold(email)) {
    const msg = 'must not be the e-mail address'
    throw invalid({ loc: ['body', 'password'], msg, type: 'common_password' })
  }
}
