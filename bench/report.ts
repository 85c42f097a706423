import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { CALLERS } from './data/load.ts'
import type { Result } from './load.ts'

/** What was found of one system: under load, or a single number. */
export interface Measured {
  readonly name: string
  readonly system: string
  readonly result?: Result
  readonly value?: number
}

interface Circumstances {
  readonly began: Date
  readonly wrk: string
  readonly size: number
  readonly large: Readonly<Record<'SQLite' | 'PostgreSQL', number>>
  readonly duration: number
  readonly rounds: number
  readonly command: string
}

const document = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))
const findings = fileURLToPath(new URL('findings.md', import.meta.url))
const OURS = 'todo-app'

const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)

function loadTable(measured: readonly Measured[]): string[] {
  const rows = measured.flatMap(({ name, system, result }) => {
    if (!result) return []
    const ours = measured.find((other) => other.name === name && other.system === OURS)?.result
    const ratio = ours && system !== OURS ? (ours.rate / result.rate).toFixed(2) : ''
    const failed = result.failures > 0 ? String(result.failures) : ''
    return [
      `| ${name} | ${system} | ${digits(result.rate)} | ${digits(result.p50)} | ${digits(result.p99)} | ${ratio} | ${failed} |`,
    ]
  })
  return [
    '| Work | System | Requests/s | p50 ms | p99 ms | todo-app to it | Failed |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ]
}

const valueTable = (measured: readonly Measured[]): string[] => [
  '| What | System | Median |',
  '| --- | --- | ---: |',
  ...measured.flatMap(({ name, system, value }) =>
    value === undefined ? [] : [`| ${name} | ${system} | ${digits(value)} |`],
  ),
]

function targetTable(measured: readonly Measured[], sizes: Circumstances['large']): string[] {
  const find = (name: string, system: string) =>
    measured.find((each) => each.name === name && each.system === system)
  const rows: string[] = []
  const judge = (target: string, value: number | undefined, isMet: (value: number) => boolean) => {
    if (value === undefined || Number.isNaN(value)) return
    rows.push(`| ${target} | ${digits(value)} | ${isMet(value) ? 'yes' : '**no**'} |`)
  }
  for (const database of ['SQLite', 'PostgreSQL'] as const) {
    const large = sizes[database]
    const rate = (work: string, system: string) =>
      find(`${database}: ${work}`, system)?.result?.rate ?? Number.NaN
    for (const [work, least] of [
      ['list of 10, bearer', 0.9],
      ['one todo', 0.9],
      ['create', 0.85],
    ] as const) {
      judge(
        `${database}: ${work}, at least ${least} of the ceiling`,
        rate(work, OURS) / rate(work, 'ceiling'),
        (value) => value >= least,
      )
    }
    for (const work of ['list of 10, bearer', 'one todo', 'create', 'tick (PATCH, If-Match)']) {
      judge(
        `${database}: ${work}, at least 10 times FastAPI`,
        rate(work, OURS) / rate(work, 'FastAPI'),
        (value) => value >= 10,
      )
    }
    for (const work of ['list of 10, bearer', 'deepest page by cursor']) {
      const p50 = (todos: number) =>
        find(`${database} by size: ${work}`, `${todos} todos`)?.result?.p50 ?? Number.NaN
      judge(
        `${database}: ${work}, p50 at ${large.toLocaleString('en')} todos at most 1.2 times that at 10,000`,
        p50(large) / p50(10_000),
        (value) => value <= 1.2,
      )
    }
    judge(
      `${database}: search among 100,000 todos of one owner, p99 under 20 ms`,
      find(`${database}: search in the large list, 1 connection`, OURS)?.result?.p99,
      (value) => value < 20,
    )
    judge(
      `${database}: cold start to the first 200 under 500 ms`,
      find(`${database}: cold start to the first 200, ms`, OURS)?.value,
      (value) => value < 500,
    )
    judge(
      `${database}: memory after the load under 120 MiB`,
      find(`${database}: memory after the load, MiB`, OURS)?.value,
      (value) => value < 120,
    )
    const signIns = `${database}: list while sign-ins saturate`
    judge(
      `${database}: p99 of a list while sign-ins saturate, under 3 times its quiet value`,
      (find(signIns, 'saturated')?.result?.p99 ?? Number.NaN) /
        (find(signIns, 'quiet')?.result?.p99 ?? Number.NaN),
      (value) => value < 3,
    )
  }
  return ['| Target | Found | Met |', '| --- | ---: | --- |', ...rows]
}

/** Writes docs/benchmarks.md: what was measured, then what people found (bench/findings.md). */
export function writeReport(measured: readonly Measured[], at: Circumstances): void {
  const memory = Math.round(totalmem() / 1024 ** 3)
  const lines = [
    '# Benchmarks',
    '',
    'This page is written by `npm run bench`; its last part is `bench/findings.md`.',
    '',
    `${at.began.toISOString().slice(0, 16).replace('T', ' ')} UTC, \`${at.command}\`: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${memory} GiB, Linux ${release()}, Node ${process.version}, SQLite ${process.versions.sqlite}, ${at.wrk}.`,
    '',
    `Everything runs on this one machine, over loopback. A server with one worker has core 0, the load core 1. The systems take turns in each of ${at.rounds} rounds of ${at.duration} s, after one round to warm up; the figures are medians over the rounds. Data: ${at.size.toLocaleString('en')} todos where no size is named, one owner with 100,000 of them, the others from 1 to 1,000. The PostgreSQL server is PostgreSQL's own default configuration, with its files in memory and on no particular core. The load is ${CALLERS} people’s, at 32 connections where no number is named.`,
    '',
    'The ceiling is `bench/ceiling.ts`: bare `node:http` with the same statements, prepared, the same session check and the same JSON. FastAPI is `bench/peers/fastapi_app.py` on Gunicorn with a Uvicorn worker.',
    '',
    '## Targets',
    '',
    ...targetTable(measured, at.large),
    '',
    '## Work',
    '',
    ...loadTable(measured),
    '',
    '## Start and memory',
    '',
    ...valueTable(measured),
    '',
    readFileSync(findings, 'utf8').trim(),
    '',
  ]
  writeFileSync(document, lines.join('\n'))
}
