import { setTimeout as delay } from 'node:timers/promises'
import { open } from '../src/db/open.ts'
import type { Db } from '../src/db/tables.ts'
import { load } from './load.ts'
import { AT_REST, type Database, type Measured, median, REST, type Round } from './results.ts'
import * as systems from './systems.ts'
import * as work from './work.ts'

/** How long a whole run may take is decided here: see `estimate`. */
export interface Extent {
  /** Seconds of one round. */
  readonly duration: number
  readonly rounds: number
}

/** Seconds of load that a system gets before its first work: V8 compiles for about as long. */
export const FIRST_WARM_UP = 16
const TURN = 2
/** Seconds of load before each round, which do not count. */
export const WARM_UP = 1
/** So long the systems must have done nothing after a turn, and so long it waits for that, in milliseconds. */
const QUIET = 500
const QUIET_PATIENCE = 5000
const STARTS = 5
const SIGN_IN_TEST_CONNECTIONS = 16
const twice = [work.listByBearer, work.create]
const ofScale = [work.listByBearer, work.deepestByCursor]

export const say = (line: string) =>
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)

const oneWorker = (): systems.System[] => [
  systems.product,
  systems.productQuiet,
  systems.ceiling,
  ...peers(),
]
const peers = (): systems.System[] => [
  systems.express,
  ...(systems.hasFastapi() ? [systems.fastapi] : []),
]

/** The service without its log lines is looked at where that tells most. */
function does(system: systems.System, each: work.Work): boolean {
  if (system === systems.product) return true
  if (system === systems.productQuiet) return twice.includes(each)
  return each.isCommon
}

/** Seconds that one database takes, without making its data. */
export function estimate({ duration, rounds }: Extent): number {
  const loads =
    work.works.flatMap((each) => oneWorker().filter((system) => does(system, each))).length +
    twice.length * (1 + peers().length) +
    ofScale.length * 2
  const OVERHEAD = 1
  const each = rounds * (WARM_UP + duration + 2 * OVERHEAD)
  const warmed = oneWorker().length + 1 + peers().length + 2
  return (
    loads * each +
    rounds * (2 * duration + 1) +
    STARTS * oneWorker().length * 1.5 +
    warmed * FIRST_WARM_UP +
    2 * REST +
    30
  )
}

export async function connect(url: string): Promise<Db> {
  const pool = { connections: 2, connectTimeout: 3000, statementTimeout: 600_000 }
  return open(url, { pool, onConnectionLost: () => {} })
}

type Contender = {
  readonly label: string
  readonly running: systems.Running
  readonly db: Db
}

/**
 * Waits for what was under way when a load ended: a slow system would work into the next one's turn, and
 * its writes come after what the next work reads or what is deleted.
 */
async function idle(contenders: readonly Contender[]): Promise<void> {
  const spent = () => contenders.reduce((total, { running }) => total + running.cpu(), 0)
  const end = performance.now() + QUIET_PATIENCE
  for (let before = spent(); performance.now() < end; before = spent()) {
    await delay(QUIET)
    // Linux counts in steps of 10 ms, and a server at rest does a little too.
    if (spent() - before <= 20) return
  }
}

/** In turns, so that none rests until its first work. */
async function warmUp(contenders: readonly Contender[]): Promise<void> {
  for (let second = 0; second < FIRST_WARM_UP; second += TURN) {
    for (const { running, db } of contenders) {
      await load(running.url, { ...(await work.listByBearer.load(db)), duration: TURN })
    }
  }
}

/** Measures everything on one database. */
export class Comparison {
  readonly measured: Measured[] = []
  readonly #database: Database
  readonly #extent: Extent

  constructor(database: Database, extent: Extent) {
    this.#database = database
    this.#extent = extent
  }

  /** All work on the data set of `size` todos at `url`. */
  async compare(url: string, size: number): Promise<void> {
    const db = await connect(url)
    await this.#startCold(url)
    const contenders: Contender[] = []
    for (const system of oneWorker()) {
      const running = await systems.start(system, url, work.bearerOf(2))
      contenders.push({ label: system.name, running, db })
    }
    await warmUp(contenders)
    // What a run that was interrupted left.
    await this.#forget(db, size)
    for (const each of work.works) {
      const some = contenders.filter(({ running }) => does(running.system, each))
      await this.#alternate(each.name, each, some)
      if (each.isAdding) await this.#forget(db, size)
    }
    for (const { running } of contenders) {
      if (running.system === systems.product) await this.#whileSignInsSaturate(running, db)
    }
    await this.#memory('resident memory', contenders)
    for (const { running } of contenders) await running.stop()
    await this.#twoWorkers(url, db, size)
    await db.destroy()
  }

  /** Whether a list is slower in a large database than in a small one. */
  async scale(urls: ReadonlyMap<number, string>): Promise<void> {
    const contenders: Contender[] = []
    for (const [todos, url] of urls) {
      const running = await systems.start(systems.product, url, work.bearerOf(2))
      contenders.push({ label: `${todos} todos`, running, db: await connect(url) })
    }
    await warmUp(contenders)
    for (const each of ofScale) await this.#alternate(`by size: ${each.name}`, each, contenders)
    for (const { running, db } of contenders) {
      await running.stop()
      await db.destroy()
    }
  }

  #forget(db: Db, size: number): Promise<void> {
    return work.forget(db, size, this.#database === 'SQLite')
  }

  async #startCold(url: string): Promise<void> {
    const some = oneWorker().filter((system) => system !== systems.productQuiet)
    const times = new Map(some.map((system) => [system.name, [] as number[]]))
    for (let turn = 0; turn < STARTS; turn++) {
      for (const system of some) {
        const running = await systems.start(system, url, work.bearerOf(2))
        times.get(system.name)?.push(running.start)
        await running.stop()
      }
    }
    for (const [name, each] of times) this.#quantity('cold start to the first 200, ms', name, each)
  }

  /** One after the other in each round, so that what else the machine does meets them all. */
  async #alternate(name: string, each: work.Work, contenders: readonly Contender[]): Promise<void> {
    const found = new Map<string, Round[]>(contenders.map(({ label }) => [label, []]))
    const turn = async ({ running, db }: Contender, duration: number): Promise<Round> => {
      const planned = { ...(await each.load(db)), duration }
      const before = running.cpu()
      const result = await load(running.url, planned)
      const cpu = running.cpu() - before
      await idle(contenders)
      return result.requests ? { ...result, cpu: cpu / result.requests } : result
    }
    for (let round = 0; round < this.#extent.rounds; round++) {
      for (const contender of contenders) {
        // It has rested while the others had their turns, in which V8 lets go of compiled code.
        await turn(contender, WARM_UP)
        found.get(contender.label)?.push(await turn(contender, this.#extent.duration))
      }
    }
    for (const [system, rounds] of found) this.#rounds(name, system, rounds)
  }

  async #whileSignInsSaturate(running: systems.Running, db: Db): Promise<void> {
    const { duration, rounds } = this.#extent
    const list = await work.listByBearer.load(db)
    const few = { ...list, connections: SIGN_IN_TEST_CONNECTIONS, duration }
    const quiet: Round[] = []
    const busy: Round[] = []
    for (let round = 0; round < rounds; round++) {
      quiet.push(await load(running.url, few))
      const signIns = await work.signIn.load(db)
      const saturating = load(running.url, { ...signIns, duration: duration + 1 })
      busy.push(await load(running.url, few))
      await saturating
    }
    this.#rounds('list while sign-ins saturate', 'quiet', quiet)
    this.#rounds('list while sign-ins saturate', 'saturated', busy)
  }

  async #twoWorkers(url: string, db: Db, size: number): Promise<void> {
    await this.#forget(db, size)
    const contenders: Contender[] = []
    for (const system of [systems.product, ...peers()]) {
      const running = await systems.start(system, url, work.bearerOf(2), 2)
      contenders.push({ label: system.name, running, db })
    }
    await warmUp(contenders)
    for (const each of twice) await this.#alternate(`two workers: ${each.name}`, each, contenders)
    await this.#memory('two workers: resident memory', contenders)
    for (const { running } of contenders) await running.stop()
    await this.#forget(db, size)
  }

  #rounds(name: string, system: string, rounds: readonly Round[]): void {
    this.measured.push({ name, system, rounds })
    const of = (figure: (round: Round) => number) => median(rounds.map(figure)).toFixed(2)
    const failures = rounds.map(({ failures }) => JSON.stringify(failures)).join(' ')
    say(
      `${this.#database} · ${name} · ${system}: ${of(({ rate }) => rate)}/s, p50 ${of(({ p50 }) => p50)}, p99 ${of(({ p99 }) => p99)}, cpu ${of(({ cpu }) => cpu ?? Number.NaN)}, failed ${failures}`,
    )
  }

  /** As the load ends, and when all have rested. */
  async #memory(name: string, contenders: readonly Contender[]): Promise<void> {
    const note = (when: string) => {
      for (const { label, running } of contenders) {
        this.#quantity(`${name} ${when}, MiB`, label, [running.memory()])
      }
    }
    note('as the load ends')
    await delay(REST * 1000)
    note(AT_REST)
  }

  #quantity(name: string, system: string, values: readonly number[]): void {
    this.measured.push({ name, system, values })
    say(`${this.#database} · ${name} · ${system}: ${median(values).toFixed(1)}`)
  }
}
