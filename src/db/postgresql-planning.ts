import type pg from 'pg'
import { hasCode } from '../lib/code.ts'

/** What a connection is told for `once`: a statement takes the plan for any values, which reads in the order of an index. */
export const PLAN_ONCE = 'set enable_sort = off; set plan_cache_mode = force_generic_plan'
const PLAN_FREELY = 'reset plan_cache_mode; reset enable_sort'

/** The database has no such setting, or does not let us have it. */
const REFUSED = /^(0A|42)/

/** For what values PostgreSQL plans the statements of each connection (manual, `plan_cache_mode`). */
export class Planning {
  readonly #plannedOnce = new WeakSet<pg.PoolClient>()
  #isPossible: boolean

  /** `keepsSettings`: a setting of a connection stays with it; there is no pooler of transactions. */
  constructor(keepsSettings: boolean) {
    this.#isPossible = keepsSettings
  }

  /**
   * Has each statement that is sent on `client` from now on planned when it is first run, for any values. By
   * itself PostgreSQL goes on to plan each run where that looks cheaper for its values, which takes as long as to read a
   * page. Only for statements that read within the order of an index: where PostgreSQL expects an owner to have a
   * single todo, it would sort all that one has.
   */
  once(client: pg.PoolClient): void {
    if (!this.#isPossible || this.#plannedOnce.has(client)) return
    this.#plannedOnce.add(client)
    client.query(PLAN_ONCE).catch((error: unknown) => {
      this.#plannedOnce.delete(client)
      // Where it is refused, what is sent behind it is planned as ever; where the connection broke, that fails as well.
      if (hasCode(error, REFUSED)) this.#isPossible = false
    })
  }

  /** Leaves it to PostgreSQL again for what values it plans. */
  async freely(client: pg.PoolClient): Promise<void> {
    if (!this.#plannedOnce.has(client)) return
    await client.query(PLAN_FREELY)
    this.#plannedOnce.delete(client)
  }
}
