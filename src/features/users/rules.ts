import type { Fault } from '../../lib/problem.ts'
import { fold } from '../../lib/text.ts'

let common: Promise<ReadonlySet<string>> | undefined

// Half a megabyte of words, so it is read when the first password is chosen and not at every start.
async function readCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'].map(String))
}

/**
 * The faults of a new password beyond its length: it is among the common ones, or it is the
 * account's own e-mail address or a part of it (NIST SP 800-63B §3.1.1.2).
 */
export async function passwordFaults(password: string, email: string): Promise<Fault[]> {
  common ??= readCommon()
  const folded = fold(password)
  const [name = ''] = fold(email).split('@')
  const loc = ['body', 'password']
  if ((await common).has(folded)) {
    return [
      {
        loc,
        msg: 'is among the passwords that are tried first; choose another',
        type: 'common_password',
      },
    ]
  }
  if (folded === name || folded === fold(email)) {
    return [{ loc, msg: 'must not be the e-mail address', type: 'common_password' }]
  }
  return []
}
