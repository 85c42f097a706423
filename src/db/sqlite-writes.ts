import { setTimeout as delay } from 'node:timers/promises'
import { atEndOfTurn } from '../lib/turn.ts'
import type { SqliteConnection } from './sqlite-database.ts'
import { isBusy, keptWaiting } from './sqlite-failure.ts'

/** How long to wait for another process's write lock, or for another writer of this one, in milliseconds. */
const PATIENCE = 5_000
const TRY_AGAIN_MAX = 15

/**
 * Runs a statement, again and again while another process has the lock that it needs, until who wants
 * it has waited for long enough since `since`, or since the first try. Between two tries there is time for other work: SQLite's
 * own waiting stops the whole process, and it does not wait at all where two processes make a new
 * file a WAL one.
 */
export async function whenUnlocked<Result>(
  statement: () => Result | Promise<Result>,
  since?: number,
): Promise<Result> {
  let began = since
  for (let pause = 1; ; pause = Math.min(2 * pause, TRY_AGAIN_MAX)) {
    try {
      return await statement()
    } catch (error) {
      began ??= performance.now()
      if (!isBusy(error) || performance.now() - began >= PATIENCE) throw error
      await delay(pause)
    }
  }
}

/**
 * Lets the writes that come during one turn of the event loop share one commit: waiting for the
 * disk is what a write mostly costs, and it takes no longer for many. Each is done when that commit
 * is, so what was acknowledged is as durable as by a commit of its own.
 *
 * Of those who write there is one at a time, from `begin`, which waits for the one before, to `end` or
 * `abandon`. The transaction may hold the writes of others already, so one who wants to take back what
 * it wrote needs a savepoint.
 */
export class SharedCommit {
  readonly #connection: SqliteConnection
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>()
  /** Whether somebody is between `begin` and `end` or `abandon`. */
  #isTaken = false
  /** Those whose writes are in the open transaction. */
  #members: Array<PromiseWithResolvers<void>> = []
  #isClosed = false
  /** Whether to commit as soon as nobody is writing, since the turn of the event loop is over. */
  #isDue = false

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  async begin(): Promise<void> {
    // Waiting for other writers counts too: the last of many would else wait for the lock for minutes.
    const since = performance.now()
    await this.#takeTurn()
    try {
      if (this.#connection.isInTransaction) {
        if (this.#members.length > 0) return
        // All that it holds was abandoned.
        this.#connection.run('rollback', [])
      }
      // With the write lock at once: a transaction that reads first and then writes would fail when
      // another process wrote in between.
      await whenUnlocked(() => this.#connection.run('begin immediate', []), since)
    } catch (error) {
      this.#pass()
      throw error
    }
    atEndOfTurn(this.#commitSoon)
  }

  /** Throws when those before take too long. */
  async #takeTurn(): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const goOn = () => {
      clearTimeout(limit)
      resolve()
    }
    const limit = setTimeout(() => {
      this.#waiting.delete(goOn)
      reject(keptWaiting())
    }, PATIENCE)
    this.#waiting.add(goOn)
    return promise
  }

  /** Ends one's writing; gives once it is on the disk, throws when it never will be. */
  end(): Promise<void> {
    const member = Promise.withResolvers<void>()
    this.#members.push(member)
    this.#pass()
    return member.promise
  }

  /** Ends one's writing of which nothing is to stay, because of `reason`. */
  abandon(reason: unknown): void {
    // A full disk rolls back the whole transaction, and with it what the others wrote.
    if (!this.#connection.isInTransaction) this.#settle((member) => member.reject(reason))
    this.#pass()
  }

  /** Ends one's writing that cannot be told from what the others wrote any more: nothing of all is to stay. */
  abandonAll(reason: unknown): void {
    this.#takeBack(reason)
    this.#pass()
  }

  /** Commits what is complete, before the connection is closed. */
  close(): void {
    if (this.#isTaken)
      this.#settle((member) => member.reject(new Error('closed before the commit')))
    else this.#commit()
    this.#isClosed = true
  }

  readonly #commitSoon = () => {
    if (this.#isTaken) this.#isDue = true
    else this.#commit()
  }

  #pass(): void {
    if (this.#isDue) this.#commit()
    const [next] = this.#waiting
    if (next) {
      this.#waiting.delete(next)
      next()
    } else {
      this.#isTaken = false
    }
  }

  #commit(): void {
    this.#isDue = false
    if (this.#isClosed || !this.#connection.isInTransaction) return
    try {
      this.#connection.run(this.#members.length > 0 ? 'commit' : 'rollback', [])
      this.#settle((member) => member.resolve())
    } catch (error) {
      this.#takeBack(error)
    }
  }

  #takeBack(reason: unknown): void {
    try {
      if (this.#connection.isInTransaction) this.#connection.run('rollback', [])
    } catch {
      // It is tried again before anybody writes.
    }
    this.#settle((member) => member.reject(reason))
  }

  #settle(how: (member: PromiseWithResolvers<void>) => void): void {
    const members = this.#members
    this.#members = []
    for (const member of members) how(member)
  }
}
