// What Sequelize calls of the `sqlite3` package, over node:sqlite. That package needs an install script,
// which this project never runs. As in `sqlite3`, a statement is prepared for each call, and what it
// gave is told to a callback whose `this` says what an insert or update did. `sqlite3` hands each
// statement to another thread and back, which costs more than a short one takes: this one does not.
import { DatabaseSync } from 'node:sqlite'

export const OPEN_READWRITE = 2
export const OPEN_CREATE = 4

/** Sequelize tells failures apart by the names that `sqlite3` gives them. */
const CODES = new Map([
  [5, 'SQLITE_BUSY'],
  [19, 'SQLITE_CONSTRAINT'],
])

export class Database {
  #database

  constructor(filename, _mode, opened) {
    this.filename = filename
    let failure = null
    try {
      this.#database = new DatabaseSync(filename, { timeout: 5000 })
      this.#database.exec('pragma journal_mode = wal; pragma synchronous = full')
    } catch (error) {
      failure = error
    }
    process.nextTick(opened, failure)
  }

  run(sql, parameters, told) {
    this.#call(sql, parameters, told, (statement, values) => {
      const { lastInsertRowid, changes } = statement.run(...values)
      return { done: { lastID: lastInsertRowid, changes } }
    })
  }

  all(sql, parameters, told) {
    this.#call(sql, parameters, told, (statement, values) => ({ rows: statement.all(...values) }))
  }

  /** Everything runs in the order in which it is asked for. */
  serialize(callback) {
    callback()
  }

  close(told) {
    this.#database.close()
    if (told) process.nextTick(told, null)
  }

  #call(sql, parameters, told, work) {
    const [values, callback] =
      typeof parameters === 'function' ? [[], parameters] : [parameters, told]
    let outcome
    try {
      const list = Array.isArray(values) ? values : values === undefined ? [] : [values]
      outcome = work(this.#database.prepare(sql), list)
    } catch (error) {
      const code = CODES.get(error.errcode & 0xff) ?? 'SQLITE_ERROR'
      outcome = { failure: Object.assign(error, { code }) }
    }
    const { done = {}, failure = null, rows } = outcome
    if (callback) process.nextTick(() => callback.call(done, failure, rows))
  }
}
