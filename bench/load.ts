import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Request {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A todo that is to be ticked and unticked, at its version. */
export interface Tickable {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly version: number
}

/** What a system did: requests a second, latency in milliseconds, and answers that were no success. */
export interface Result {
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly failures: number
}

export interface Load {
  readonly connections: number
  /** In seconds. */
  readonly duration: number
  readonly requests?: readonly Request[]
  readonly ticks?: readonly Tickable[]
}

const quoted = (value: string): string => JSON.stringify(value)
const table = (fields: Readonly<Record<string, string>>): string =>
  `{${Object.entries(fields)
    .map(([name, value]) => `[${quoted(name)}]=${quoted(value)}`)
    .join(',')}}`

const DONE = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"rate":%.2f,"p50":%.3f,"p99":%.3f,"failures":%d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end`

const inTurn = (requests: readonly Request[]): string => `
local list = {}
init = function()
  ${requests
    .map(
      ({ method, path, headers, body }) =>
        `list[#list + 1] = wrk.format(${quoted(method)}, ${quoted(path)}, ${table(headers)}, ${body === undefined ? 'nil' : quoted(body)})`,
    )
    .join('\n  ')}
end
local turn = 0
request = function() turn = turn % #list + 1; return list[turn] end`

/** Each tick names the version that the answer before gave, so that the condition holds. */
const ticking = (ticks: readonly Tickable[]): string => `
local list = {${ticks.map(({ path, headers, version }) => `{path=${quoted(path)},headers=${table({ ...headers, 'Content-Type': 'application/json' })},version=${version},done=false}`).join(',\n')}}
local byId = {}
for _, todo in ipairs(list) do byId[todo.path:match('%d+$')] = todo end
local turn = 0
request = function()
  turn = turn % #list + 1
  local todo = list[turn]
  todo.headers['If-Match'] = '"' .. todo.version .. '.1"'
  return wrk.format('PATCH', todo.path, todo.headers, todo.done and '{"completed":false}' or '{"completed":true}')
end
response = function(status, headers, body)
  if status ~= 200 then return end
  local todo = byId[body:match('"id":(%d+)')]
  local tag = headers['ETag'] or headers['Etag'] or headers['etag']
  if todo and tag then todo.version = tonumber(tag:match('(%d+)')); todo.done = not todo.done end
end`

export const LOAD_CORE = '1'

export function wrkVersion(): string {
  try {
    execFileSync('wrk', ['--version'], { encoding: 'utf8' })
  } catch (error) {
    // It answers with its version and a failure.
    const [version] =
      /wrk [\w./-]+/.exec(
        String(error instanceof Error && 'stdout' in error ? error.stdout : ''),
      ) ?? []
    if (version) return version
    throw new Error(
      'The load comes from wrk, which is not installed (Debian: apt-get install wrk).',
    )
  }
  return 'wrk'
}

/** Loads the server at `url` from another core and gives what wrk counted. */
export async function load(
  url: string,
  { connections, duration, requests, ticks }: Load,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'todo-app-bench-'))
  const script = join(directory, 'load.lua')
  writeFileSync(script, `${ticks ? ticking(ticks) : inTurn(requests ?? [])}\n${DONE}\n`)
  const child = spawn(
    'taskset',
    [
      '-c',
      LOAD_CORE,
      'wrk',
      '-t1',
      `-c${connections}`,
      `-d${duration}s`,
      '--timeout',
      '10s',
      '-s',
      script,
      url,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const output = await text(child.stdout)
  rmSync(directory, { recursive: true })
  const [, result] = /^RESULT (.*)$/m.exec(output) ?? []
  if (result === undefined) throw new Error(`wrk gave no result:\n${output}`)
  return JSON.parse(result)
}
