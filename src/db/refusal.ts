import { statSync } from 'node:fs'
import { ForeseenError } from '../lib/foreseen.ts'
import { naming } from './sqlite-failure.ts'

/** A database that is not read or written as it is. The message says why, and what to do. */
export class DatabaseRefused extends ForeseenError {
  constructor(message: string) {
    super(message)
    this.name = 'DatabaseRefused'
  }
}

/** Throws `DatabaseRefused` when there is no SQLite file at `path`, and another error when that cannot be seen. */
export function refuseIfMissing(path: string): void {
  const found = naming(path, () => statSync(path, { throwIfNoEntry: false }))
  if (!found) throw new DatabaseRefused(`There is no file ${path}.`)
}
