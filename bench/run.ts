// npm run bench: measures the service beside the ceiling and a peer, and writes docs/benchmarks.md.
//   npm run bench -- [--sqlite] [--postgresql] [--size=1000000] [--large=10000000] [--large-postgresql=10000000] [--seconds=2] [--rounds=3]
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { open } from '../src/db/open.ts'
import type { Db } from '../src/db/tables.ts'
import { exitOnSignals, startFragilePostgres } from '../test/postgres.ts'
import { loadPostgresql, loadSqlite } from './data/load.ts'
import { load, type Result, wrkVersion } from './load.ts'
import { type Measured, writeReport } from './report.ts'
import * as systems from './systems.ts'
import * as work from './work.ts'

const { values: options } = parseArgs({
  options: {
    sqlite: { type: 'boolean', default: false },
    postgresql: { type: 'boolean', default: false },
    size: { type: 'string', default: '1000000' },
    large: { type: 'string', default: '10000000' },
    // Filling PostgreSQL with 10 million takes some minutes of each run.
    'large-postgresql': { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
})
const both = options.sqlite === options.postgresql
const size = Number(options.size)
const large = { SQLite: Number(options.large), PostgreSQL: Number(options['large-postgresql']) }
const small = 10_000
const duration = Number(options.seconds)
const rounds = Number(options.rounds)
const SEARCH_TARGET_CONNECTIONS = 16

const measured: Measured[] = []
const say = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
const middle = (results: readonly Result[]): Result => ({
  rate: median(results.map(({ rate }) => rate)),
  p50: median(results.map(({ p50 }) => p50)),
  p99: median(results.map(({ p99 }) => p99)),
  failures: results.reduce((sum, { failures }) => sum + failures, 0),
})

/** One after the other in each round, so that what else the machine does meets them all. */
async function alternate(
  name: string,
  contenders: ReadonlyArray<{ label: string; url: string; db: Db; work: work.Work }>,
): Promise<void> {
  const results = new Map<string, Result[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const { label, url, db, work } of contenders) {
      const seconds = round === 0 ? 1 : duration
      const result = await load(url, { ...(await work.load(db)), duration: seconds })
      // The first round warms up.
      if (round > 0) results.set(label, [...(results.get(label) ?? []), result])
    }
  }
  for (const [system, each] of results) {
    const result = middle(each)
    measured.push({ name, system, result })
    say(
      `${name} · ${system}: ${Math.round(result.rate)}/s p50 ${result.p50} p99 ${result.p99} failed ${result.failures}`,
    )
  }
}

const quantity = (name: string, system: string, value: number): void => {
  measured.push({ name, system, value })
  say(`${name} · ${system}: ${value.toFixed(1)}`)
}

async function connect(url: string): Promise<Db> {
  const pool = { connections: 2, connectTimeout: 3000, statementTimeout: 60_000 }
  return open(url, { pool, onConnectionLost: () => {} })
}

async function compare(database: string, url: string): Promise<void> {
  const db = await connect(url)
  const headers = work.bearerOf(2)
  const contenders = [
    systems.product,
    systems.productQuiet,
    systems.ceiling,
    systems.express,
    ...(systems.hasFastapi() ? [systems.fastapi] : []),
  ]
  for (const system of contenders) {
    const times: number[] = []
    for (let turn = 0; turn < 5; turn++) {
      const running = await systems.start(system, url, headers)
      times.push(running.start)
      await running.stop()
    }
    quantity(`${database}: cold start to the first 200, ms`, system.name, median(times))
  }
  const running: systems.Running[] = []
  for (const system of contenders) running.push(await systems.start(system, url, headers))
  for (const each of work.works) {
    await alternate(
      `${database}: ${each.name}`,
      running
        .filter(({ system }) => each.isCommon || system === systems.product)
        .map(({ system, url }) => ({ label: system.name, url, db, work: each })),
    )
  }
  for (const each of running) {
    quantity(`${database}: memory after the load, MiB`, each.system.name, each.memory())
  }
  const product = running.find(({ system }) => system === systems.product)
  if (product) await whileSignInsSaturate(database, product.url, db)
  for (const each of running) await each.stop()
  await twoWorkers(database, url, db)
  await db.destroy()
}

async function whileSignInsSaturate(database: string, url: string, db: Db): Promise<void> {
  const list = { ...(await work.listByBearer.load(db)), connections: SEARCH_TARGET_CONNECTIONS }
  const quiet: Result[] = []
  const busy: Result[] = []
  for (let round = 0; round < rounds; round++) {
    quiet.push(await load(url, { ...list, duration }))
    const signIns = load(url, { ...(await work.signIn.load(db)), duration: duration + 1 })
    busy.push(await load(url, { ...list, duration }))
    await signIns
  }
  const name = `${database}: list while sign-ins saturate`
  measured.push({ name, system: 'quiet', result: middle(quiet) })
  measured.push({ name, system: 'saturated', result: middle(busy) })
  say(`${name}: p99 ${middle(quiet).p99} quiet, ${middle(busy).p99} saturated`)
}

async function twoWorkers(database: string, url: string, db: Db): Promise<void> {
  for (const system of [
    systems.product,
    systems.express,
    ...(systems.hasFastapi() ? [systems.fastapi] : []),
  ]) {
    const running = await systems.start(system, url, work.bearerOf(2), 2)
    for (const each of [work.listByBearer, work.create]) {
      const contender = { label: system.name, url: running.url, db, work: each }
      await alternate(`${database}, two workers on both cores: ${each.name}`, [contender])
    }
    quantity(`${database}, two workers: memory after the load, MiB`, system.name, running.memory())
    await running.stop()
  }
}

/** Whether a list is slower in a large database than in a small one. */
async function scale(database: string, urls: ReadonlyMap<number, string>): Promise<void> {
  const running: Array<{ label: string; url: string; db: Db; stop: () => Promise<void> }> = []
  for (const [todos, url] of urls) {
    const server = await systems.start(systems.product, url, work.bearerOf(2))
    const db = await connect(url)
    const stop = async () => {
      await server.stop()
      await db.destroy()
    }
    running.push({ label: `${todos} todos`, url: server.url, db, stop })
  }
  for (const each of [work.listByBearer, work.deepestByCursor]) {
    await alternate(
      `${database} by size: ${each.name}`,
      running.map((server) => ({ ...server, work: each })),
    )
  }
  for (const { stop } of running) await stop()
}

const began = new Date()
const wrk = wrkVersion()
const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim()
const report = () => writeReport(measured, { began, wrk, size, large, duration, rounds, command })
exitOnSignals()
if (both || options.sqlite) {
  const urlOf = async (todos: number) => {
    const path = resolve(`.tmp/bench/${todos}.db`)
    await loadSqlite(path, todos)
    return `sqlite:///${path}`
  }
  const urls = new Map([
    [small, await urlOf(small)],
    [large.SQLite, await urlOf(large.SQLite)],
  ])
  await compare('SQLite', await urlOf(size))
  await scale('SQLite', urls)
  report()
}
if (both || options.postgresql) {
  const server = await startFragilePostgres()
  try {
    say('filling PostgreSQL')
    const middle = await loadPostgresql(server.url, size)
    const urls = new Map<number, string>()
    for (const todos of [small, large.PostgreSQL]) {
      urls.set(todos, todos === size ? middle : await loadPostgresql(server.url, todos))
    }
    await compare('PostgreSQL', middle)
    await scale('PostgreSQL', urls)
  } finally {
    await server.stop()
  }
}
report()
process.exit(0)
