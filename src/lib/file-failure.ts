import { getSystemErrorMessage } from 'node:util'
import { codeOf, hasCode } from './code.ts'

export const MAKE_ROOM = 'Make room on its disk.'
export const LOOK_AT_RIGHTS =
  'Look whether this user may read and write it, and make files in its folder.'
const FILE_FOR_FOLDER = 'A file is where its folder should be.'

/** What to look at, by the code of the system's error. */
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  ['EACCES', LOOK_AT_RIGHTS],
  ['EPERM', LOOK_AT_RIGHTS],
  ['ENOENT', 'Look whether its folder is there.'],
  ['ENOTDIR', FILE_FOR_FOLDER],
  ['EEXIST', FILE_FOR_FOLDER],
  ['EISDIR', 'A folder is in its place.'],
  ['ENOSPC', MAKE_ROOM],
  ['EDQUOT', MAKE_ROOM],
])

/** Why the system could not read or make a file, and what to look at; undefined for any other error. */
export function fileFailure(error: unknown): string | undefined {
  if (!(error instanceof Error && 'errno' in error && typeof error.errno === 'number')) return
  const reason = `${getSystemErrorMessage(error.errno)}.`
  const advice = ADVICE.get(codeOf(error))
  return advice === undefined ? reason : `${reason} ${advice}`
}

/** Whether the disk is full, or as much of it as this user may have. */
export const isOutOfRoom = (error: unknown): boolean => hasCode(error, /^(ENOSPC|EDQUOT)$/)
