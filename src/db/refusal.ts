import { existsSync } from 'node:fs'
import { ForeseenError } from '../lib/foreseen.ts'

/** A database that is not read or written as it is. The message says why, and what to do. */
export class DatabaseRefused extends ForeseenError {
  constructor(message: string) {
    super(message)
    this.name = 'DatabaseRefused'
  }
}

/** Throws `DatabaseRefused` when there is no SQLite file at `path`. */
export function refuseIfMissing(path: string): void {
  if (!existsSync(path)) throw new DatabaseRefused(`There is no file ${path}.`)
}
