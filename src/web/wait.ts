import type { Problem } from '../lib/problem.ts'

const MINUTE = 60

/** How long to wait before another try, as a sentence; undefined where the problem does not say. */
export function waitAfter({ headers }: Problem): string | undefined {
  const seconds = Number(headers['Retry-After'] ?? 0)
  if (seconds === 0) return undefined
  const [count, unit] =
    seconds < 2 * MINUTE ? [seconds, 'second'] : [Math.ceil(seconds / MINUTE), 'minute']
  return `Please wait ${count} ${unit}${count === 1 ? '' : 's'} before the next try.`
}
