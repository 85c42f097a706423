import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Result } from './load/types.ts'

const DATABASES = ['SQLite', 'PostgreSQL'] as const
export type Database = (typeof DATABASES)[number]

/** Seconds without load before memory is looked at again; the service rests for up to 40 before it gives memory back. */
export const REST = 45
export const AT_REST = `${REST} s after the load`

/** The name of the service itself among the systems. */
export const OURS = 'todo-app'

export interface Round extends Result {
  /** The processor's time of the server for a request, in milliseconds. */
  readonly cpu?: number
}

/** What was found of one system: under load round by round, or single numbers. */
export interface Measured {
  readonly name: string
  readonly system: string
  readonly rounds?: readonly Round[]
  readonly values?: readonly number[]
}

/** One run on one database, and under what circumstances. */
export interface Run {
  readonly database: Database
  readonly version: string
  readonly began: string
  readonly command: string
  readonly machine: string
  readonly generator: string
  readonly size: number
  readonly large: number
  readonly duration: number
  readonly rounds: number
  readonly measured: readonly Measured[]
}

export const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1)
  return (low + high) / 2
}

/** The median, over the rounds, of a figure of one system divided by that of another in the same round. */
export const ratio = (
  ours: Measured | undefined,
  theirs: Measured | undefined,
  figure: (round: Round) => number | undefined,
): number =>
  median(
    (ours?.rounds ?? []).flatMap((round, index) => {
      const other = theirs?.rounds?.[index]
      const quotient = (figure(round) ?? Number.NaN) / ((other && figure(other)) ?? Number.NaN)
      return Number.isFinite(quotient) ? quotient : []
    }),
  )

// Kept apart, so that the databases may be measured on different days.
const path = (database: Database): string => resolve(`.tmp/bench/results-${database}.json`)

export function keep(run: Run): void {
  mkdirSync(dirname(path(run.database)), { recursive: true })
  writeFileSync(path(run.database), JSON.stringify(run))
}

/** The last run on each database. */
export const keptRuns = (): Run[] =>
  DATABASES.flatMap((database) =>
    existsSync(path(database)) ? [JSON.parse(readFileSync(path(database), 'utf8'))] : [],
  )
