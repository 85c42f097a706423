import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Installation, installation } from './command.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const PATIENCE = 20_000

export interface Server {
  readonly url: string
  readonly output: () => string
  /** Runs `todo …` beside the server, in the same place. */
  readonly todo: Installation['todo']
}

/**
 * Starts the service as its users do, in a folder and on a database of its own, and stops it by
 * SIGTERM when the test ends, which must succeed.
 */
export async function startServer(
  t: TestContext,
  variables: Record<string, string> = {},
): Promise<Server> {
  // Before the folder and the database go, which happens in the order of these calls.
  let stop = async () => {}
  t.after(() => stop())
  const place = await installation(t)
  const child = spawn(process.execPath, [main], {
    cwd: place.directory,
    env: { PATH: process.env.PATH, ...place.variables, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
    if (child.exitCode !== null) return
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(PATIENCE) })
    child.kill('SIGTERM')
    const [code] = await exited
    if (code !== 0) throw new Error(`stopped with ${code}\n${output}`)
  }
  return { url: await listening, output: () => output, todo: place.todo }
}
