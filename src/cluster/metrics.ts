import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import { type Snapshot, sumOf } from '../http/metrics.ts'
import type { Member } from './member.ts'

/** Sums what the workers count, and counts the workers. */
export class CrewMetrics {
  readonly #registry = new Registry()
  readonly #ends = new Counter({
    name: 'workers_ended_total',
    help: 'Workers that ended: as they were told (left), or not (died).',
    labelNames: ['how'],
    registers: [this.#registry],
  })
  readonly #workers = new Gauge({
    name: 'workers',
    help: 'Workers that serve.',
    registers: [this.#registry],
  })
  /** What workers counted that have ended; without it the sums would fall. */
  #past: Promise<Snapshot> = Promise.resolve([])

  constructor() {
    for (const how of ['left', 'died']) this.#ends.inc({ how }, 0)
  }

  /** Keeps what a worker counted. It must leave the crew at the same moment, to be counted once. */
  ended(member: Member): void {
    this.#ends.inc({ how: member.isLeaving ? 'left' : 'died' })
    const counters = member.metrics.filter(({ type }) => isCounter(type))
    this.#past = this.#past.then((past) =>
      AggregatorRegistry.aggregate([past, counters]).getMetricsAsJSON(),
    )
  }

  /** What the workers of the crew count, once each was asked, with what those before them did. */
  async text(crew: ReadonlySet<Member>): Promise<string> {
    await Promise.all([...crew].map((member) => member.refreshMetrics()))
    // Who has ended meanwhile is in the past and not in the crew any more: no wait between the two.
    const past = this.#past
    const present = [...crew].map(({ metrics }) => metrics)
    this.#workers.set([...crew].filter(({ state }) => state === 'serving').length)
    return sumOf([await this.#registry.getMetricsAsJSON(), await past, ...present])
  }
}

/** The types of metric that only grow. The library writes them as words or, in its types, numbers. */
const isCounter = (type: unknown): boolean => type === 'counter' || type === 'histogram'
