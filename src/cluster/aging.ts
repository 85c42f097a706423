import type { FastifyBaseLogger } from 'fastify'
import type { Member } from './member.ts'
import type { Beat } from './messages.ts'

interface Limits {
  /** Requests; 0 for never. */
  readonly maxRequests: number
  /** MiB; 0 for never. */
  readonly workerMemoryLimit: number
}

/** So long after its start no worker is too large: its successor would soon be as large. In milliseconds. */
const GROWING = 10_000
const MiB = 1024 * 1024

/** Finds the workers that grew old, by their signs of life. */
export class Aging {
  readonly #limits: Limits
  readonly #logger: FastifyBaseLogger
  #hasWarned = false

  constructor(limits: Limits, logger: FastifyBaseLogger) {
    this.#limits = limits
    this.#logger = logger
  }

  /** Why another is to take the place of this one, if that is so. */
  reasonToReplace(member: Member, { requests, rss }: Beat): string | undefined {
    const { maxRequests, workerMemoryLimit } = this.#limits
    if (maxRequests > 0 && requests >= maxRequests * member.endurance) {
      return `${requests} requests (MAX_REQUESTS)`
    }
    const memory = Math.round(rss / MiB)
    if (workerMemoryLimit === 0 || memory <= workerMemoryLimit) return undefined
    if (member.age >= GROWING) {
      return `${memory} MiB of memory (WORKER_MEMORY_LIMIT)`
    }
    if (!this.#hasWarned) {
      this.#logger.warn(
        { worker: member.id, memory, limit: workerMemoryLimit },
        'WORKER_MEMORY_LIMIT is less than a worker has in its first ten seconds, in which none is replaced for it',
      )
    }
    this.#hasWarned = true
    return undefined
  }
}
