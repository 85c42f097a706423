import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Preparation } from '../service.ts'
import { Aging } from './aging.ts'
import { Member } from './member.ts'
import { CrewMetrics } from './metrics.ts'
import type { Report } from './messages.ts'

/** How many workers, and when one has to go. */
export interface Rules {
  readonly workers: number
  /** Seconds without a sign of life; 0 for never. */
  readonly workerTimeout: number
  /** Requests; 0 for never. */
  readonly maxRequests: number
  /** MiB; 0 for never. */
  readonly workerMemoryLimit: number
  /** Seconds. */
  readonly gracefulTimeout: number
}

/** All in milliseconds. */
const SETTLED = 10_000
const START_TIMEOUT = 30_000
const BACKOFF_FIRST = 100
const BACKOFF_MOST = 5000
const RETRY_REPLACING = 60_000
/** So many times in a row workers may end before they settled. */
const FAILURES_MAX = 8
/** How many times a worker is looked at in the time that it may be silent. */
const LOOKS = 10

/**
 * Keeps a number of workers alive: replaces those that end, kills those that hang, and exchanges
 * those that grew old, a new one first.
 */
export class Crew {
  readonly #rules: Rules
  readonly #logger: FastifyBaseLogger
  /** Called when workers do not stay alive; with the reason. */
  readonly #giveUp: (reason: string) => void
  readonly #members = new Set<Member>()
  readonly #metrics = new CrewMetrics()
  readonly #aging: Aging
  #housekeeper: Member | undefined
  #isStopping = false
  #isFilling = false
  #failures = 0
  #lastFailureAt = Number.NEGATIVE_INFINITY
  /** The exchanges under way: one at a time, so that there is never more than one worker too many. */
  #exchanges = Promise.resolve()

  constructor(rules: Rules, logger: FastifyBaseLogger, giveUp: (reason: string) => void) {
    this.#rules = rules
    this.#logger = logger
    this.#giveUp = giveUp
    this.#aging = new Aging(rules, logger)
  }

  /**
   * Starts one worker, which prepares the database, then the others. Gives undefined once the first
   * serves, or the exit code with which it ended; it has said why.
   */
  async start(): Promise<number | undefined> {
    const first = this.#add('start')
    try {
      await first.serving
    } catch {
      return first.exitCode ?? 1
    }
    const { workers, workerTimeout } = this.#rules
    if (workerTimeout > 0) setInterval(() => this.#look(), (workerTimeout * 1000) / LOOKS)
    this.#logger.info({ workers }, 'starting the other workers')
    void this.#fill()
    return undefined
  }

  /** Exchanges every worker for one that runs the files as they are now. */
  restart(): void {
    const old = this.#present()
    void this.#inTurn(async () => {
      let preparation: Preparation = 'restart'
      for (const member of old) {
        if (member.state === 'ended') continue
        if (!(await this.#exchange(member, preparation))) return
        preparation = 'none'
      }
      this.#logger.info('all workers are new')
    })
  }

  /**
   * Says on `/ready` that the service stops, serves on for `drainDelay` seconds, then lets the open
   * requests finish. Gives whether all of them did.
   */
  async stop(drainDelay: number): Promise<boolean> {
    this.#isStopping = true
    const members = [...this.#members]
    const allEnded = Promise.all(members.map(({ ended }) => ended))
    for (const member of members) member.order({ order: 'announce stop' })
    if (drainDelay > 0) await Promise.race([delay(drainDelay * 1000), allEnded])
    const patience = (this.#rules.gracefulTimeout - drainDelay) * 1000
    const finished = await Promise.all(members.map((member) => member.leave(patience)))
    return finished.every(Boolean)
  }

  /** What all workers together counted, for Prometheus. */
  metrics(): Promise<string> {
    return this.#metrics.text(this.#members)
  }

  kill(): void {
    this.#isStopping = true
    for (const member of this.#members) member.kill()
  }

  #present(): Member[] {
    return [...this.#members].filter(({ isLeaving }) => !isLeaving)
  }

  #add(preparation: Preparation): Member {
    const member = new Member(preparation, (report) => this.#hear(member, report))
    this.#members.add(member)
    member.serving.then(
      () => this.#served(member),
      () => {},
    )
    void member.ended.then(() => this.#ended(member))
    return member
  }

  #served(member: Member): void {
    this.#chooseHousekeeper()
    setTimeout(() => {
      if (member.state === 'serving') this.#failures = 0
    }, SETTLED).unref()
  }

  #hear(member: Member, report: Report): void {
    if (report.report === 'replace me') this.#replace(member, report.reason)
    if (report.report === 'ask for metrics') {
      this.metrics().then(
        (text) => member.order({ order: 'metrics', text }),
        (err: unknown) => this.#logger.error({ err }, 'the metrics of the workers cannot be told'),
      )
    }
    if (report.report !== 'beat') return
    const reason = this.#aging.reasonToReplace(member, report)
    if (reason !== undefined) this.#replace(member, reason)
  }

  #replace(member: Member, reason: string): void {
    const { state, isLeaving, replaceableFrom } = member
    if (state !== 'serving' || isLeaving || performance.now() < replaceableFrom) return
    member.replaceableFrom = Number.POSITIVE_INFINITY
    this.#logger.info({ worker: member.id, reason }, 'a worker is being replaced')
    void this.#inTurn(async () => {
      if (member.state === 'ended' || (await this.#exchange(member, 'none'))) return
      member.replaceableFrom = performance.now() + RETRY_REPLACING
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#exchanges = this.#exchanges.then(() => (this.#isStopping ? undefined : work()))
    return this.#exchanges
  }

  /** Starts a new worker and lets the old one leave once the new one serves. */
  async #exchange(old: Member, preparation: Preparation): Promise<boolean> {
    if (this.#isStopping) return false
    const successor = this.#add(preparation)
    try {
      await successor.serving
    } catch (error) {
      this.#logger.error({ err: error, worker: old.id }, 'no new worker starts: the old one stays')
      return false
    }
    if (this.#isStopping) return false
    const left = old.leave(this.#rules.gracefulTimeout * 1000)
    this.#chooseHousekeeper()
    void this.#fill()
    if (!(await left))
      this.#logger.error({ worker: old.id }, 'it did not finish within GRACEFUL_TIMEOUT')
    return true
  }

  #ended(member: Member): void {
    this.#members.delete(member)
    this.#metrics.ended(member)
    if (this.#isStopping) return
    const { id, pid, ending } = member
    if (member.isLeaving) {
      this.#logger.info({ worker: id, worker_pid: pid }, 'a worker left')
    } else {
      this.#logger.error({ worker: id, worker_pid: pid, ending }, 'a worker ended')
      // Workers that fail together count as one failure.
      if (member.startedAt > this.#lastFailureAt && !isSettled(member)) {
        this.#failures++
        this.#lastFailureAt = performance.now()
      }
    }
    this.#chooseHousekeeper()
    void this.#fill(ending, member.isMigrating && !member.hasServed)
  }

  /** Starts what is missing: at once after one failure, later and later after more. */
  async #fill(ending = '', isMigrationFailed = false): Promise<void> {
    const isMissing = () => !this.#isStopping && this.#present().length < this.#rules.workers
    if (this.#isFilling || !isMissing()) return
    if (this.#failures >= FAILURES_MAX && !this.#present().some(isSettled)) {
      this.#giveUp(`${this.#failures} workers in a row ended soon after their start: ${ending}`)
      return
    }
    this.#isFilling = true
    if (this.#failures > 1) {
      await delay(Math.min(BACKOFF_FIRST * 2 ** (this.#failures - 2), BACKOFF_MOST))
    }
    // A migration that failed may have held what the others write to: it is tried as seldom as an exchange.
    const isServed = () => this.#present().some(({ state }) => state === 'serving')
    const retryAt = performance.now() + (isMigrationFailed ? RETRY_REPLACING : 0)
    while (isServed() && !this.#isStopping && performance.now() < retryAt) await delay(1000)
    this.#isFilling = false
    while (isMissing()) this.#add('none')
  }

  #chooseHousekeeper(): void {
    if (this.#housekeeper?.state === 'serving' && !this.#housekeeper.isLeaving) return
    this.#housekeeper = this.#present().find(({ state }) => state === 'serving')
    this.#housekeeper?.order({ order: 'keep house' })
  }

  /** Kills the workers that gave no sign of life for WORKER_TIMEOUT. */
  #look(): void {
    for (const member of this.#members) {
      const isLate =
        member.state === 'starting'
          ? !member.isMigrating && member.age > START_TIMEOUT
          : // Counted in looks, not by the clock: after this machine slept, nobody is late.
            ++member.silence > LOOKS
      if (!isLate) continue
      const { id, pid } = member
      this.#logger.error({ worker: id, worker_pid: pid }, 'a worker does not answer: killing it')
      member.kill()
    }
  }
}

const isSettled = (member: Member): boolean => member.hasServed && member.age > SETTLED
