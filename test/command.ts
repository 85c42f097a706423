import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { open } from '../src/db/open.ts'
import type { Db } from '../src/db/tables.ts'
import { freshDatabase, isPostgresql, UNHURRIED } from './world.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly variables?: Readonly<Record<string, string>>
  /** The longest file that it may write, in blocks of a disk that is as good as full. */
  readonly fileSize?: number | undefined
  /** Where the shell has its standard output lead, instead of to the test. */
  readonly stdoutTo?: string | undefined
  /** What nobody reads, as where it is piped to a program that has ended. */
  readonly unread?: 'stdout' | 'stderr' | undefined
}

/** A place to run the command line in: a folder and a database of its own, gone with the test. */
export interface Installation {
  readonly directory: string
  readonly variables: Readonly<Record<string, string>>
  /** Runs `todo …` to its end. */
  todo(args: readonly string[], options?: RunOptions): Promise<Ran>
}

/** Whatever runs the clean-up when it ends, in the order in which it was asked: a test, or a script. */
export type Scope = Pick<TestContext, 'after'>

export async function installation(t: Scope): Promise<Installation> {
  const directory = await mkdtemp(join(tmpdir(), 'todo-app-'))
  const { url, drop } = await freshDatabase()
  t.after(async () => {
    await rm(directory, { recursive: true, force: true })
    await drop()
  })
  const variables = {
    DATABASE_URL: isPostgresql ? url : `sqlite:///${join(directory, 'todo.db')}`,
    PORT: '0',
    // No load balancer looks on.
    DRAIN_DELAY: '0',
    ...UNHURRIED,
  }
  return {
    directory,
    variables,
    todo: (args, options = {}) =>
      run(directory, args, { ...options, variables: { ...variables, ...options.variables } }),
  }
}

/** An installation on SQLite, also where the other tests of this run are about PostgreSQL. */
export async function onSqlite(t: Scope): Promise<Installation & { path: string }> {
  const place = await installation(t)
  const path = join(place.directory, 'todo.db')
  const variables = { ...place.variables, DATABASE_URL: `sqlite:///${path}` }
  return {
    ...place,
    variables,
    path,
    todo: (args, options = {}) =>
      place.todo(args, { ...options, variables: { ...variables, ...options.variables } }),
  }
}

export function succeeded({ code, stdout, stderr }: Ran): string {
  assert.deepEqual([code, stderr], [0, ''])
  return stdout
}

/** The e-mail addresses of all accounts. */
export const emails = async (todo: Installation['todo'], variables = {}) =>
  succeeded(await todo(['user', 'list'], { variables }))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t')[1])

async function run(
  cwd: string,
  args: readonly string[],
  { input = '', variables, fileSize, stdoutTo, unread }: RunOptions,
): Promise<Ran> {
  const limit = fileSize === undefined ? '' : `ulimit -f ${fileSize};`
  const output = stdoutTo === undefined ? '' : `>${stdoutTo}`
  const line = `${limit} exec "$0" "$@" ${output}`
  const child = spawn('sh', ['-c', line, process.execPath, main, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...variables },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(input)
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  if (unread) child[unread].destroy()
  const read = (name: 'stdout' | 'stderr') => (name === unread ? '' : text(child[name]))
  const [stdout, stderr, code] = await Promise.all([read('stdout'), read('stderr'), closed])
  return { code, stdout, stderr }
}

/** Makes Ann's account, whose password is the input. */
export const ANN = ['user', 'create', 'ann@example.com', '--fname', 'Ann', '--lname', 'Archer']

/** Opens the database past the command line, for `work` alone. */
export async function withDatabase<Result>(
  url: string,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  const pool = { connections: 2, connectTimeout: 3000, statementTimeout: 10_000 }
  const db = await open(url, { pool, onConnectionLost: () => {} })
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}
