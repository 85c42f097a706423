export interface Request {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A todo that is to be ticked and unticked, at its version. */
export interface Tickable {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly version: number
  readonly completed: boolean
}

/** What a system did in one round. */
export interface Result {
  /** Answers a second. */
  readonly rate: number
  readonly requests: number
  /** Latency in milliseconds. */
  readonly p50: number
  readonly p99: number
  /** How many were no success: by status, or `timeout`, or `connection`. */
  readonly failures: Readonly<Record<string, number>>
}

export interface Load {
  readonly connections: number
  /** In seconds. */
  readonly duration: number
  readonly requests?: readonly Request[]
  readonly ticks?: readonly Tickable[]
}

/** The load runs on this core alone. */
export const LOAD_CORE = '1'
/** After so many seconds without an answer a request counts as failed. */
export const TIMEOUT = 10
