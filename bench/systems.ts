import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import manifest from '../package.json' with { type: 'json' }
import { MEMORY_VARIABLES } from '../src/cluster/memory.ts'
import { freePort } from '../test/free-port.ts'
import { OURS } from './results.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What is measured, and how it is started. */
export interface System {
  readonly name: string
  readonly command: (port: number, workers: number) => readonly string[]
  readonly variables: (url: string) => Readonly<Record<string, string>>
}

export const SECRET_KEY = 'only for benchmarks: 0123456789 abcdefghij'
const SERVER_CORE = '0'
/** Debian's own Python, which has its packages. */
const PYTHON = '/usr/bin/python3'

const ours = (level: string) => (url: string) => ({
  DATABASE_URL: url,
  LOG_LEVEL: level,
  SIGN_IN_FAILURES: '1000',
  // As the image and the supervisor set it.
  ...MEMORY_VARIABLES,
})

/** What `npm start` runs. */
const startCommand = manifest.scripts.start
  .split(' ')
  .slice(1)
  .map((word) => word.replace('dist/main.js', at('../dist/main.js')))

export const product: System = {
  name: OURS,
  command: (_port, workers) => [process.execPath, ...startCommand, `--workers=${workers}`],
  variables: ours('info'),
}
export const productQuiet: System = {
  name: 'todo-app, LOG_LEVEL=warn',
  command: product.command,
  variables: ours('warn'),
}
export const ceiling: System = {
  name: 'ceiling',
  command: () => [process.execPath, at('ceiling.ts')],
  variables: (url) => ({ DATABASE_URL: url }),
}
export const fastapi: System = {
  name: 'FastAPI',
  command: (port, workers) =>
    [PYTHON, '-m', 'gunicorn', '-k', 'uvicorn.workers.UvicornWorker', '-w', String(workers)].concat(
      [
        '-b',
        `127.0.0.1:${port}`,
        '--log-level',
        'warning',
        '--chdir',
        at('peers'),
        'fastapi_app:app',
      ],
    ),
  // SQLAlchemy knows the longer name only.
  variables: (url) => ({ DATABASE_URL: url.replace(/^postgres:/, 'postgresql:') }),
}
export const express: System = {
  name: 'Express',
  command: (_port, workers) => [
    process.execPath,
    at('peers/express/app.js'),
    `--workers=${workers}`,
  ],
  variables: (url) => ({ DATABASE_URL: url, NODE_ENV: 'production' }),
}
export const hasFastapi = (): boolean => existsSync('/usr/lib/python3/dist-packages/fastapi')

export interface Running {
  readonly system: System
  readonly url: string
  /** Milliseconds from the start of the process to the first 200. */
  readonly start: number
  /** The resident memory of the process and its children, in MiB. */
  memory(): number
  /** The processor's time that they took so far, in milliseconds. */
  cpu(): number
  stop(): Promise<void>
}

/** Starts a system on the server's core (or on both, for several workers) and waits for its first 200. */
export async function start(
  system: System,
  database: string,
  headers: Record<string, string>,
  workers = 1,
): Promise<Running> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(
    'taskset',
    ['-c', workers === 1 ? SERVER_CORE : '0,1', ...system.command(port, workers)],
    {
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        SECRET_KEY,
        ...system.variables(database),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    const answer = await fetch(`${url}/api/v1/todos`, { headers }).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.status === 200) break
    if (child.exitCode !== null) throw new Error(`${system.name} ended with ${child.exitCode}`)
    if (performance.now() - began > 20_000) throw new Error(`${system.name} does not answer 200`)
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  return {
    system,
    url,
    start: performance.now() - began,
    memory: () => sumOfTree(child.pid ?? 0, residentOf),
    cpu: () => sumOfTree(child.pid ?? 0, processorTimeOf),
    stop: () => stop(child),
  }
}

function sumOfTree(pid: number, of: (pid: number) => number): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
  )
  return children.reduce((total, each) => total + sumOfTree(Number(each), of), of(pid))
}

const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

/** Linux counts it in hundredths of a second (proc_pid_stat(5), utime and stime). */
function processorTimeOf(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return 10 * (Number(afterName[11]) + Number(afterName[12]))
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await exit
  clearTimeout(timer)
}
