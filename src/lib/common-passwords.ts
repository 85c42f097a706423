import { createRequire } from 'node:module'
import { codeOf } from './code.ts'
import { lazy } from './lazy.ts'
import { unavailable } from './problem.ts'
import { fold } from './text.ts'

const require = createRequire(import.meta.url)

/**
 * No common password has more UTF-16 units. Longer text is not folded, since the time of that grows
 * with the square of its length for a long run of combining marks (UAX #15, Stream-Safe Text Format).
 */
const LENGTH_MAX = 256

// Half a megabyte of words, so it is read when the first password is chosen and not at every start.
const known = lazy((): ReadonlySet<string> => {
  const { dictionary } = readList()
  return new Set(dictionary['passwords-common'].map(String))
})

function readList(): typeof import('@zxcvbn-ts/language-common') {
  try {
    return require('@zxcvbn-ts/language-common')
  } catch (cause) {
    // What Node says of a `package.json` for which it has no file descriptor.
    if (codeOf(cause) !== 'ERR_INVALID_PACKAGE_CONFIG') throw cause
    throw unavailable('No password can be set right now. Try again in a moment.', { cause })
  }
}

/**
 * Whether a password is among the 49,000 that are tried first (NIST SP 800-63B §3.1.1.2). Throws a 503 `Problem`
 * when the list cannot be read for now.
 */
export function isCommon(password: string): boolean {
  if (password.length > LENGTH_MAX) return false
  return known().has(fold(password))
}
