import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import packageJson from '../package.json' with { type: 'json' }
import { type Installation, installation, type Scope } from './command.ts'

const root = resolve(import.meta.dirname, '..')
/** What `npm start` runs. */
const built = join(root, 'dist/main.js')
/** The flags that it gives Node. */
export const startFlags = packageJson.scripts.start
  .split(' ')
  .filter((word) => word.startsWith('--'))
const PATIENCE = 60_000

export interface Server {
  readonly url: string
  readonly pid: number
  readonly output: () => string
  /** The lines of its log in which `key` is present. */
  readonly logged: (key: string) => Array<Record<string, unknown>>
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
  /** Runs `todo …` beside the server, in the same place. */
  readonly todo: Installation['todo']
}

/**
 * Starts the service as its users do, in a folder and on a database of its own, and stops it by
 * SIGTERM when the test ends, which must succeed. `main` is the file to run.
 */
export async function startServer(
  t: Scope,
  variables: Record<string, string> = {},
  main = built,
): Promise<Server> {
  // Before the folder and the database go, which happens in the order of these calls.
  let stop = async () => {}
  t.after(() => stop())
  const place = await installation(t)
  const child = spawn(process.execPath, [...startFlags, main], {
    cwd: place.directory,
    env: { PATH: process.env.PATH, ...place.variables, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { promise: ended, resolve: end } = Promise.withResolvers<number | NodeJS.Signals | null>()
  child.on('exit', (code, signal) => end(signal ?? code))
  let output = ''
  const listening = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      const [, url] = /Listening on (http:\/\/[\w.:[\]]+?),/.exec(output) ?? []
      if (url) resolve(url)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('exit', (code) => reject(new Error(`exited with ${code} before listening\n${output}`)))
    setTimeout(() => reject(new Error(`does not listen\n${output}`)), PATIENCE).unref()
  })
  stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
    const code = await ended
    clearTimeout(timer)
    if (code !== 0) throw new Error(`stopped with ${code}\n${output}`)
  }
  return {
    url: await listening,
    pid: child.pid ?? 0,
    output: () => output,
    logged: (key) =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line): Record<string, unknown> => JSON.parse(line))
        .filter((line) => key in line),
    ended,
    todo: place.todo,
  }
}

/** A copy of the program, whose sources a test may change and run as they are. */
export async function copyOfProgram(t: TestContext): Promise<{ program: string; main: string }> {
  const program = await copyOf(t, ['package.json', 'src', 'dist'])
  return { program, main: join(program, 'src/main.ts') }
}

/** A folder with these parts of the program, and its packages. */
export async function copyOf(t: TestContext, parts: readonly string[]): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'todo-app-copy-'))
  // A process that was just ended may still finish a file in it.
  t.after(() => rm(copy, { recursive: true, force: true, maxRetries: 5 }))
  for (const part of parts) await cp(join(root, part), join(copy, part), { recursive: true })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** The lines by which its workers said that they serve, in the order of their start. */
export const listeningLines = (server: Server): Array<Record<string, unknown>> =>
  server.logged('worker').filter(({ msg }) => String(msg).startsWith('Listening'))

/** Waits for `condition`, and fails with `what` when it does not come true in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: () => string,
  patience = PATIENCE,
): Promise<void> {
  const deadline = Date.now() + patience
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what()}`)
    await delay(20)
  }
}
