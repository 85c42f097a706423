import { digits } from './digits.ts'
import { AT_REST, type Measured, median, OURS, type Round, ratio, type Run } from './results.ts'

const rate = ({ rate }: Round) => rate
const p50 = ({ p50 }: Round) => p50
const p99 = ({ p99 }: Round) => p99

/** What is to be reached, and whether a run reached it. */
export function targetRows({ database, large, measured }: Run): string[] {
  const find = (name: string, system: string): Measured | undefined =>
    measured.find((each) => each.name === name && each.system === system)
  const rows: string[] = []
  const judge = (target: string, value: number, isMet: (value: number) => boolean) => {
    if (Number.isNaN(value)) return
    rows.push(`| ${database} | ${target} | ${digits(value)} | ${isMet(value) ? 'yes' : '**no**'} |`)
  }
  for (const [work, least] of [
    ['list of 10, bearer', 0.9],
    ['one todo', 0.9],
    ['create', 0.85],
  ] as const) {
    judge(
      `${work}: at least ${least} of the ceiling`,
      ratio(find(work, OURS), find(work, 'ceiling'), rate),
      (value) => value >= least,
    )
  }
  for (const work of ['list of 10, bearer', 'one todo', 'create', 'tick (PATCH, If-Match)']) {
    judge(
      `${work}: at least 10 times FastAPI`,
      ratio(find(work, OURS), find(work, 'FastAPI'), rate),
      (value) => value >= 10,
    )
  }
  for (const work of ['list of 10, bearer', 'deepest page by cursor']) {
    const name = `by size: ${work}`
    judge(
      `${work}: p50 at ${large.toLocaleString('en')} todos at most 1.2 times that at 10,000`,
      ratio(find(name, `${large} todos`), find(name, '10000 todos'), p50),
      (value) => value <= 1.2,
    )
  }
  judge(
    'search among 100,000 todos of one owner: p99 under 20 ms',
    median((find('search in the large list, 1 connection', OURS)?.rounds ?? []).map(p99)),
    (value) => value < 20,
  )
  judge(
    'cold start to the first 200: under 500 ms',
    median(find('cold start to the first 200, ms', OURS)?.values ?? []),
    (value) => value < 500,
  )
  judge(
    `resident memory ${AT_REST}, one worker: under 120 MiB`,
    median(find(`resident memory ${AT_REST}, MiB`, OURS)?.values ?? []),
    (value) => value < 120,
  )
  const signIns = 'list while sign-ins saturate'
  judge(
    'p99 of a list while sign-ins saturate: under 3 times its quiet value',
    ratio(find(signIns, 'saturated'), find(signIns, 'quiet'), p99),
    (value) => value < 3,
  )
  return rows
}
