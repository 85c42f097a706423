import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort } from '../free-port.ts'
import { until } from '../server.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const OUTPUT_MAX = 20_000

/** A service that may be killed and started again in the same place, always at the same URL. */
export interface Service {
  readonly url: string
  readonly pid: () => number
  /** The end of what it printed. */
  readonly output: () => string
  /** Gives when it answers that it is ready. */
  start(): Promise<void>
  /** Ends the process that was started, by SIGKILL unless named, and gives when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** A directory that goes with the test, after `release` has made it possible. */
export function directoryFor(
  t: TestContext,
  release: (directory: string) => void = () => {},
): string {
  const directory = mkdtempSync(join(tmpdir(), 'todo-app-hard-'))
  t.after(async () => {
    release(directory)
    await rm(directory, { recursive: true, force: true })
  })
  return directory
}

/** Starts the service as its users do, on the database that `variables` name. */
export async function startService(
  t: TestContext,
  variables: Record<string, string>,
): Promise<Service> {
  const cwd = directoryFor(t)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let output = ''
  const read = (chunk: Buffer) => {
    output = (output + chunk).slice(-OUTPUT_MAX)
  }
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  const start = async () => {
    child = spawn(process.execPath, [main], {
      cwd,
      env: { PATH: process.env.PATH, PORT: String(port), LOG_LEVEL: 'warn', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    const started = child
    await until(
      async () => {
        if (started.exitCode !== null) throw new Error(`exited with ${started.exitCode}\n${output}`)
        return isReady(url)
      },
      () => `is ready\n${output}`,
    )
  }
  t.after(async () => {
    await kill()
    if (!t.passed) console.error(`The service said:\n${output}`)
  })
  await start()
  const pid = () => child?.pid ?? 0
  return { url, pid, output: () => output, start, kill }
}

export const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/ready`).then(
    ({ status }) => status === 200,
    () => false,
  )
