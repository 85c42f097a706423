// The script in browser/ uses this file too, so it imports nothing.

/** Whether a value is an object with members, as JSON has them, and no array. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
