import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import { GIVEN_TEMPORARY_FOLDER } from '../config/config.ts'
import type { Snapshot } from '../http/metrics.ts'
import type { Preparation } from '../service.ts'
import { MEMORY_VARIABLES } from './memory.ts'
import { listener, type Order, Report } from './messages.ts'

/** Of what a worker wrote to standard error, as much as says why it ended, in characters. */
const COMPLAINT_MAX = 1000

/** How long a scrape waits for one worker, in milliseconds. */
const METRICS_PATIENCE = 1000

type State = 'starting' | 'serving' | 'ended'

/** One worker process, from its start to its end. */
export class Member {
  readonly startedAt = performance.now()
  /** By how much it outlasts MAX_REQUESTS, so that not all go at once. */
  readonly endurance = 1 + Math.random() / 10
  /** When it began to serve. Rejects, with a sentence that says how it ended, when it never did. */
  readonly serving: Promise<void>
  readonly ended: Promise<void>
  /** Looks at it since its last sign of life. */
  silence = 0
  /** From when on another may take its place, by `performance.now()`; infinite while one is to. */
  replaceableFrom = 0
  isLeaving = false
  isMigrating = false
  hasServed = false
  /** What it counted, when it last told. */
  metrics: Snapshot = []
  #told = Promise.withResolvers<void>()
  #state: State = 'starting'
  #complaint = ''
  #ending = ''
  readonly #worker: Worker

  constructor(preparation: Preparation, hear: (report: Report) => void) {
    // What the operator has set stays.
    const worker = cluster.fork({
      ...MEMORY_VARIABLES,
      ...process.env,
      SQLITE_TMPDIR: GIVEN_TEMPORARY_FOLDER,
    })
    this.#worker = worker
    const ended = Promise.withResolvers<void>()
    const serving = Promise.withResolvers<void>()
    // Nobody need wait for it, and a rejection that nobody hears of would end this process.
    serving.promise.catch(() => {})
    this.ended = ended.promise
    this.serving = serving.promise

    worker.process.stderr?.on('data', (bytes: Buffer) => {
      process.stderr.write(bytes)
      this.#complaint = (this.#complaint + bytes).slice(-COMPLAINT_MAX)
    })
    worker.on(
      'message',
      listener(Report, (report) => {
        this.silence = 0
        if (report.report === 'migrating') this.isMigrating = true
        if (report.report === 'serving' && this.#state === 'starting') {
          this.#state = 'serving'
          this.hasServed = true
          serving.resolve()
        }
        if (report.report === 'metrics') {
          this.metrics = report.metrics
          this.#told.resolve()
          this.#told = Promise.withResolvers()
        }
        hear(report)
      }),
    )
    // A message that cannot be sent: the worker is ending, which is heard below.
    worker.on('error', () => {})
    worker.process.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      this.#ending = [signal ?? `exit code ${code}`, this.#complaint.trim()]
        .filter(Boolean)
        .join(': ')
      this.#state = 'ended'
      serving.reject(new Error(this.#ending))
      ended.resolve()
    })
    this.order({ order: 'start', preparation })
  }

  get id(): number {
    return this.#worker.id
  }

  /** In milliseconds, since its start. */
  get age(): number {
    return performance.now() - this.startedAt
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  get state(): State {
    return this.#state
  }

  /** How it ended: the signal or exit code, and what it said. */
  get ending(): string {
    return this.#ending
  }

  get exitCode(): number | null {
    return this.#worker.process.exitCode
  }

  order(order: Order): void {
    if (this.#worker.isConnected()) this.#worker.send(order, () => {})
  }

  /** Asks for its metrics; one that does not answer soon keeps those that it told last. */
  async refreshMetrics(): Promise<void> {
    const told = this.#told.promise
    this.order({ order: 'tell metrics' })
    await Promise.race([told, this.ended, delay(METRICS_PATIENCE, undefined, { ref: false })])
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  /**
   * Lets it finish its open requests, for `patience` milliseconds at most. Gives whether it did when
   * it has ended.
   */
  async leave(patience: number): Promise<boolean> {
    this.isLeaving = true
    this.order({ order: 'leave' })
    let isPatient = true
    const timer = setTimeout(() => {
      isPatient = false
      this.kill()
    }, patience)
    await this.ended
    clearTimeout(timer)
    return isPatient
  }
}
