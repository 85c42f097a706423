import { tooManyRequests } from '../../lib/problem.ts'

/** So many exports of one account may be under way in a process: a person’s, and one that hangs. */
const EXPORTS_MAX = 2
/** In seconds. */
const RETRY_AFTER = 10

/** Counts the exports of each account that are under way in this process. Each holds memory for as long as its reader likes. */
export class ExportsUnderWay {
  readonly #counts = new Map<number, number>()

  /** Takes one more in, and gives what ends it, to be called once. Throws 429 where there are as many as may be. */
  begin(userId: number): () => void {
    const count = this.#counts.get(userId) ?? 0
    if (count >= EXPORTS_MAX) {
      throw tooManyRequests(
        'Two exports of this account are under way. Wait for one to end, or break it off.',
        RETRY_AFTER,
      )
    }
    this.#counts.set(userId, count + 1)
    return () => this.#end(userId)
  }

  #end(userId: number): void {
    const left = (this.#counts.get(userId) ?? 0) - 1
    if (left > 0) this.#counts.set(userId, left)
    else this.#counts.delete(userId)
  }
}
