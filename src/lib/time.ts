/** The present as the database and the API spell it: RFC 3339, UTC, milliseconds, `Z`. */
export function now(): string {
  const at = Date.now()
  // Spelling it takes longer than asking for it, and there are many requests in a millisecond.
  if (at !== spelled.at) spelled = { at, text: new Date(at).toISOString() }
  return spelled.text
}

let spelled = { at: 0, text: '' }

/** The moment that lies `seconds` after (or, when negative, before) the present. */
export const fromNow = (seconds: number): string =>
  new Date(Date.now() + seconds * 1000).toISOString()

/** Times are spelled alike, so they are in order when their texts are. */
export const earlier = (one: string, other: string): string => [one, other].toSorted().at(0) ?? one

/** How many seconds are left until `time`; negative when it is past. */
export const secondsUntil = (time: string): number => (Date.parse(time) - Date.now()) / 1000
