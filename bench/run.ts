// npm run bench: measures the service beside the ceiling and its peers, and writes docs/benchmarks.md.
//   npm run bench -- [--sqlite] [--postgresql] [--size=1000000] [--large=10000000] [--seconds=2] [--rounds=3]
// The data sets are made in .tmp/bench at the first run and stay there.
import { chmodSync, mkdirSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { buildPages } from '../scripts/build/pages.ts'
import { buildServer } from '../scripts/build/server.ts'
import { exitOnSignals, startKeptPostgres } from '../test/postgres.ts'
import { Comparison, connect, estimate, say } from './compare.ts'
import { loadPostgresql, loadSqlite } from './data/load.ts'
import { generator } from './load.ts'
import { writeReport } from './report.ts'
import { type Database, keep } from './results.ts'

const { values: options } = parseArgs({
  options: {
    sqlite: { type: 'boolean', default: false },
    postgresql: { type: 'boolean', default: false },
    size: { type: 'string', default: '1000000' },
    large: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
})
const both = options.sqlite === options.postgresql
const size = Number(options.size)
const large = Number(options.large)
const small = 10_000
const extent = { duration: Number(options.seconds), rounds: Number(options.rounds) }

/** The data sets at their URLs; what is missing is made first. */
async function sets(make: (todos: number) => Promise<string>): Promise<Map<number, string>> {
  const urls = new Map<number, string>()
  for (const todos of [small, size, large]) {
    const began = performance.now()
    urls.set(todos, await make(todos))
    const seconds = Math.round((performance.now() - began) / 1000)
    if (seconds > 1) say(`made a data set of ${todos} todos in ${seconds} s`)
  }
  return urls
}

async function measure(database: Database, urls: ReadonlyMap<number, string>): Promise<void> {
  const began = new Date().toISOString()
  const at = (todos: number) => urls.get(todos) ?? ''
  const db = await connect(at(size))
  const version =
    database === 'SQLite'
      ? sql<string>`sqlite_version()`
      : sql<string>`current_setting('server_version')`
  const { rows } = await sql<{ version: string }>`select ${version} as version`.execute(db)
  await db.destroy()
  const comparison = new Comparison(database, extent)
  await comparison.compare(at(size), size)
  await comparison.scale(new Map([small, large].map((todos) => [todos, at(todos)])))
  keep({
    database,
    version: rows[0]?.version ?? '',
    began,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, ''),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}, Node ${process.version}`,
    generator: await generator(),
    size,
    large,
    ...extent,
    measured: comparison.measured,
  })
  writeReport()
}

exitOnSignals()
await buildPages()
await buildServer()
const databases = both ? 2 : 1
say(
  `about ${Math.ceil((databases * estimate(extent)) / 60)} min, and some for data sets that are missing`,
)
if (both || options.sqlite) {
  await measure('SQLite', await sets(loadSqlite))
}
if (both || options.postgresql) {
  const data = resolve('.tmp/bench/postgresql')
  mkdirSync(data, { recursive: true })
  chmodSync(data, 0o700)
  const server = await startKeptPostgres(data, ['max_wal_size=4GB'])
  try {
    await measure('PostgreSQL', await sets((todos) => loadPostgresql(server.url, todos)))
  } finally {
    await server.stop()
  }
}
process.exit(0)
