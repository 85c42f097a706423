import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { LOAD_CORE, type Load, type Result } from './load/types.ts'
import { runWrk, wrkVersion } from './load/wrk.ts'

const wrk = wrkVersion()

/** The generator and its version: wrk where it is installed, otherwise autocannon, which npm brings. */
export async function generator(): Promise<string> {
  if (wrk) return wrk
  const { default: manifest } = await import('autocannon/package.json', { with: { type: 'json' } })
  return `autocannon ${manifest.version}`
}

/** Loads the server at `url` from another core and gives what the generator counted. */
export const load = (url: string, work: Load): Promise<Result> =>
  wrk ? runWrk(url, work) : runAutocannon(url, work)

/** In a process of its own, on the load's core. */
async function runAutocannon(url: string, work: Load): Promise<Result> {
  const program = fileURLToPath(new URL('load/autocannon.ts', import.meta.url))
  const child = spawn('taskset', ['-c', LOAD_CORE, process.execPath, program, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(work))
  return JSON.parse(await text(child.stdout))
}
