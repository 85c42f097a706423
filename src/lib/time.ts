/** The present as the database and the API spell it: RFC 3339, UTC, milliseconds, `Z`. */
export const now = (): string => new Date().toISOString()

/** The moment that lies `seconds` after (or, when negative, before) the present. */
export const fromNow = (seconds: number): string =>
  new Date(Date.now() + seconds * 1000).toISOString()

/** How many seconds are left until `time`; negative when it is past. */
export const secondsUntil = (time: string): number => (Date.parse(time) - Date.now()) / 1000
