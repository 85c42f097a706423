import { ForeseenError } from '../lib/foreseen.ts'

/** A database that is not read or written as it is. The message says why, and what to do. */
export class DatabaseRefused extends ForeseenError {
  constructor(message: string) {
    super(message)
    this.name = 'DatabaseRefused'
  }
}
