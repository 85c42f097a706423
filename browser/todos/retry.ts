import type { Away } from '../api.ts'

const FIRST_WAIT = 2_000
const LONGEST_WAIT = 30_000

interface Retry {
  /** Tries again after a while, and not before the server asks for it. */
  readonly later: (away: Away) => void
  /** Ends the wait for the next try. */
  readonly stop: () => void
  /** Makes the next wait as short as the first one. */
  readonly reset: () => void
}

/** Tries `work` again by itself when the server was away, after a wait that grows from try to try. */
export function retrying(work: () => Promise<void>): Retry {
  let wait = FIRST_WAIT
  let timer: ReturnType<typeof setTimeout> | undefined
  return {
    later({ retryAfter = 0 }) {
      timer = setTimeout(() => void work(), Math.max(wait, retryAfter * 1000))
      wait = Math.min(wait * 2, LONGEST_WAIT)
    },
    stop: () => clearTimeout(timer),
    reset() {
      wait = FIRST_WAIT
    },
  }
}
