/** The code of an error, as those of the system and of many packages have one (`ENOENT`); else undefined. */
export const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined
