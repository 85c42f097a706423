// What `npm test` runs: every test file on SQLite, then again on PostgreSQL.
// `npm run test:hard` runs those of test/hard instead, which take minutes and much of the machine.
//   npm test -- [--sqlite] [--postgresql] [--name=<pattern of test names>] [parts of file paths…]
import { globSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { buildPages } from '../scripts/build/pages.ts'
import { buildServer } from '../scripts/build/server.ts'
import { exitOnSignals, startPostgres } from './postgres.ts'

const root = resolve(import.meta.dirname, '..')
const databases = ['sqlite', 'postgresql'] as const
const { values: chosen, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sqlite: { type: 'boolean', default: false },
    postgresql: { type: 'boolean', default: false },
    name: { type: 'string', multiple: true, default: [] },
    hard: { type: 'boolean', default: false },
  },
})
// Long enough for any test, so that one that hangs is named and does not stall a build.
const timeout = chosen.hard ? 240_000 : 300_000
// What kills servers and measures what they bear wants the machine for itself.
const concurrency = chosen.hard ? 1 : 2
const patterns = chosen.hard ? ['test/hard/*.test.ts'] : ['src/**/*.test.ts', 'test/**/*.test.ts']
const isExcluded = (path: string) =>
  path.includes('node_modules') || (!chosen.hard && path.startsWith('test/hard'))

const total = { passed: 0, failed: 0, skipped: 0 }
const children = new AbortController()
process.once('exit', () => children.abort())
exitOnSignals()

try {
  await runAll()
} catch (error) {
  total.failed += 1
  console.error(error)
}
console.log(`\ntodo-app: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

async function runAll(): Promise<void> {
  await buildPages()
  await buildServer()
  const files = testFiles()
  const wanted = databases.filter((database) => chosen[database])
  const passes = wanted.length > 0 ? wanted : databases
  for (const [index, database] of passes.entries()) {
    const due = index === 0 ? files : files.filter(needsDatabase)
    if (due.length === 0) continue
    console.log(`\n${database}: ${due.length} files\n`)
    if (database === 'postgresql') await runOnPostgres(due)
    else await runFiles(due, { TEST_DATABASE: database, TEST_DATABASE_URL: undefined })
  }
}

async function runOnPostgres(files: string[]): Promise<void> {
  const server = await startPostgres()
  try {
    await runFiles(files, { TEST_DATABASE: 'postgresql', TEST_DATABASE_URL: server.url })
  } finally {
    await server.stop()
  }
}

async function runFiles(files: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const events = run({
    cwd: root,
    files,
    concurrency,
    timeout,
    // Else a file with something still open after its last test would never end.
    forceExit: true,
    signal: children.signal,
    testNamePatterns: chosen.name,
    env: { ...process.env, ...environment },
  })
  // A file that ends before its first test does is reported as a test that bears its name.
  events.on('test:pass', ({ name }) => {
    if (!files.includes(name)) return
    total.passed -= 1
    if (chosen.name.length > 0) return
    total.failed += 1
    console.error(`${name} has no tests, or ended before them`)
  })
  events.on('test:summary', ({ file, counts, success }) => {
    // Each file has a summary too; the one without a file is that of them all.
    if (file !== undefined) return
    const skipped = counts.skipped + counts.todo
    const failed = counts.tests - counts.passed - skipped
    total.passed += counts.passed
    total.skipped += skipped
    // A suite may fail though no test in it does: in a hook.
    total.failed += success ? failed : Math.max(failed, 1)
  })
  await pipeline(events, new spec(), process.stdout, { end: false })
}

/** Some tests never meet a database: once is enough. */
function needsDatabase(file: string): boolean {
  return !/\.(once|pure)\.test\.ts$/.test(file)
}

function testFiles(): string[] {
  const all = globSync(patterns, { cwd: root, exclude: isExcluded }).toSorted()
  // A whole path is a part too, whether typed from here or completed to an absolute one.
  const parts = positionals.map((part) => relative(root, resolve(root, part)))
  const named = (part: string) => all.filter((file) => file.includes(part))
  for (const part of parts) if (named(part).length === 0) throw new Error(`No test file: ${part}`)
  return parts.length > 0 ? all.filter((file) => parts.some((part) => file.includes(part))) : all
}
