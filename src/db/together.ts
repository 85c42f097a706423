import { hasCode } from '../lib/code.ts'
import { PooledPostgresAdapter } from './postgresql-adapter.ts'
import type { Db } from './tables.ts'

/** How rows of one kind are written. */
export interface Ways<Given, Row> {
  readonly alone: (db: Db, given: Given) => Promise<Row>
  /**
   * By one statement of PostgreSQL, which must not wait for anybody's lock on a row; undefined for each
   * that it leaves to be written alone.
   */
  readonly together: (db: Db, all: readonly Given[]) => Promise<ReadonlyArray<Row | undefined>>
}

/** So many at a time are written alone: each of a few is done soonest so. */
const FEW = 4
/** So many at most are written by one statement. */
const MANY = 64

/**
 * PostgreSQL's error classes for what one row, or somebody else's transaction, may be to blame for: data,
 * integrity, rollback (manual, appendix A).
 */
const FAULT_OF_ONE = /^(22|23|40)/

/** The codes for a statement or a function that there is not, as in a distributed PostgreSQL. */
const UNKNOWN = /^(0A|42601|42883)/

interface Waiting<Given, Row> {
  readonly given: Given
  /** By `performance.now()`. */
  readonly since: number
  readonly settle: PromiseWithResolvers<Row>
}

class Queue<Given, Row> {
  readonly #db: Db
  readonly #ways: Ways<Given, Row>
  /** Those who came while many are being written; they are the next many. */
  readonly #waiting: Array<Waiting<Given, Row>> = []
  #alone = 0
  #isWritingMany = false
  #isKnown = true

  constructor(db: Db, ways: Ways<Given, Row>) {
    this.#db = db
    this.#ways = ways
  }

  /** How long the first has waited by now, in milliseconds. */
  longestWait(): number {
    const [first] = this.#waiting
    return first ? performance.now() - first.since : 0
  }

  add(given: Given): Promise<Row> {
    const settle = Promise.withResolvers<Row>()
    this.#waiting.push({ given, since: performance.now(), settle })
    if (!this.#isWritingMany) this.#start(this.#alone >= FEW)
    return settle.promise
  }

  #start(areMany: boolean): void {
    if (areMany && this.#isKnown) this.#writeMany(this.#waiting.splice(0, MANY))
    else for (const each of this.#waiting.splice(0)) this.#writeAlone(each)
  }

  async #writeMany(some: ReadonlyArray<Waiting<Given, Row>>): Promise<void> {
    this.#isWritingMany = true
    try {
      const all = some.map(({ given }) => given)
      const rows = await this.#ways.together(this.#db, all)
      for (const [index, each] of some.entries()) this.#settle(each, rows[index])
    } catch (error) {
      if (hasCode(error, UNKNOWN)) this.#isKnown = false
      for (const each of some) {
        if (!this.#isKnown || hasCode(error, FAULT_OF_ONE)) this.#writeAlone(each)
        else each.settle.reject(error)
      }
    }
    this.#isWritingMany = false
    this.#start(this.#waiting.length > 1)
  }

  #settle(each: Waiting<Given, Row>, row: Row | undefined): void {
    if (row === undefined) this.#writeAlone(each)
    else each.settle.resolve(row)
  }

  /** It may have to wait for a lock, and nobody waits for it. */
  async #writeAlone({ given, settle }: Waiting<Given, Row>): Promise<void> {
    this.#alone++
    try {
      settle.resolve(await this.#ways.alone(this.#db, given))
    } catch (error) {
      settle.reject(error)
    }
    this.#alone--
  }
}

/**
 * Gives the way to write rows that many requests bring, one each. In PostgreSQL one of a few is written at
 * once. Of many, those that come while others are being written share the next statement, and with it
 * the round trip, the planning and the commit; each is done once that is committed, so it is as durable as
 * alone. Where one of them is at fault they are all written alone, so the others succeed.
 *
 * In a transaction each is written alone, and in SQLite, where all writes share their commits anyway
 * (`sqlite-writes.ts`).
 */
export function together<Given, Row>(
  ways: Ways<Given, Row>,
): (db: Db, given: Given) => Promise<Row> {
  const queues = new WeakMap<PooledPostgresAdapter, Queue<Given, Row>>()
  const queueOf = (adapter: PooledPostgresAdapter, db: Db): Queue<Given, Row> => {
    const kept = queues.get(adapter)
    if (kept) return kept
    const queue = new Queue(db, ways)
    queues.set(adapter, queue)
    adapter.watch(() => queue.longestWait())
    return queue
  }
  return (db, given) => {
    const { adapter } = db.getExecutor()
    const isShared = adapter instanceof PooledPostgresAdapter && !db.isTransaction
    return isShared ? queueOf(adapter, db).add(given) : ways.alone(db, given)
  }
}
