import { fileFailure, LOOK_AT_RIGHTS, MAKE_ROOM } from '../lib/file-failure.ts'
import { ForeseenError } from '../lib/foreseen.ts'

const BUSY = 5
const READ_ONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26
/** `SQLITE_IOERR_READ` and `SQLITE_IOERR_SHORT_READ`. */
const FAILED_READS: ReadonlySet<number | undefined> = new Set([266, 522])

/** What to look at, by SQLite's primary result code. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [BUSY, 'Another process keeps it locked.'],
  [READ_ONLY, 'Look whether this user may write it, and make files in its folder.'],
  [IO_ERROR, 'Look whether its disk is full or broken, or a limit is reached.'],
  [FULL, MAKE_ROOM],
  [CANNOT_OPEN, LOOK_AT_RIGHTS],
])

/** What SQLite could not do to a file, which its own words do not name. */
class SqliteFailure extends ForeseenError {
  /** SQLite's extended result code, as in the error that this explains. */
  readonly errcode: number

  constructor(message: string, cause: Error | undefined, errcode: number) {
    super(message, { cause })
    this.name = 'SqliteFailure'
    this.errcode = errcode
  }
}

/** What a write throws that other writers of the same process let wait for too long. */
export const keptWaiting = () =>
  new SqliteFailure('Other writes of this process took too long.', undefined, BUSY)

/** SQLite's extended result code. */
const errcodeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : undefined

/** Whether the primary result code, which an extended one begins with, is among `codes`. */
const isOf = (error: unknown, ...codes: readonly number[]): boolean =>
  codes.includes((errcodeOf(error) ?? 0) & 0xff)

/** Whether another process has the lock that a statement needs. The statement has done nothing then. */
export const isBusy = (error: unknown): boolean => isOf(error, BUSY)

/** Whether what the file holds is no database, or not any more. */
export const isDamage = (error: unknown): boolean => isOf(error, CORRUPT, NOT_A_DATABASE)

/** Of a copy: whether it failed where it is written, and not where it is read. */
export const isOfWriting = (error: unknown): boolean =>
  isOf(error, READ_ONLY, IO_ERROR, FULL, CANNOT_OPEN) && !FAILED_READS.has(errcodeOf(error))

/** An error of SQLite or the system that is about the file at `path`, in words that name it; any other as it is. */
export function explained(error: unknown, path: string): unknown {
  const failure = fileFailure(error)
  if (failure !== undefined) return new ForeseenError(`${path}: ${failure}`, { cause: error })
  const code = errcodeOf(error)
  if (!(error instanceof Error) || code === undefined || error instanceof SqliteFailure)
    return error
  if (isDamage(error)) {
    const message = `${path} cannot be read as a database: ${error.message}.`
    return new SqliteFailure(message, error, code)
  }
  const advice = ADVICE.get(code & 0xff)
  if (advice === undefined) return error
  return new SqliteFailure(`${path}: ${error.message}. ${advice}`, error, code)
}

/** Does `work` with the file at `path`, and throws what goes wrong in words that name it. */
export function naming<Result>(path: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw explained(error, path)
  }
}
