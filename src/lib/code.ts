/** The code of an error, as those of the system and of many packages have one (`ENOENT`); else undefined. */
export const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

/** Whether an error has such a code. */
export function hasCode(error: unknown, codes: RegExp): boolean {
  const code = codeOf(error)
  return typeof code === 'string' && codes.test(code)
}
