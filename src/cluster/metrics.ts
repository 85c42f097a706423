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
  #past: Snapshot = []

  constructor() {
    for (const how of ['left', 'died']) this.#ends.inc({ how }, 0)
  }

  async ended(member: Member): Promise<void> {
    this.#ends.inc({ how: member.isLeaving ? 'left' : 'died' })
    const counters = member.metrics.filter(({ type }) => isCounter(type))
    this.#past = await AggregatorRegistry.aggregate([this.#past, counters]).getMetricsAsJSON()
  }

  async text(members: readonly Member[]): Promise<string> {
    await Promise.all(members.map((member) => member.refreshMetrics()))
    this.#workers.set(members.filter(({ state }) => state === 'serving').length)
    return sumOf([
      await this.#registry.getMetricsAsJSON(),
      this.#past,
      ...members.map(({ metrics }) => metrics),
    ])
  }
}

/** The types of metric that only grow. The library writes them as words or, in its types, numbers. */
const isCounter = (type: unknown): boolean => type === 'counter' || type === 'histogram'
