import { hasCode } from '../lib/code.ts'

/** PostgreSQL error class 40, transaction rollback: another one was in the way (manual, appendix A). */
export const isOvertaken = (error: unknown): boolean => hasCode(error, /^40/)

const TRIES = 3

/** Does `work`, a whole transaction, again when another was in the way, three times at most. */
export async function persistently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === TRIES || !isOvertaken(error)) throw error
    }
  }
}
