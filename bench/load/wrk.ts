import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { LOAD_CORE, type Load, type Request, type Result, type Tickable, TIMEOUT } from './types.ts'

const quoted = (value: string): string => JSON.stringify(value)
const table = (fields: Readonly<Record<string, string>>): string =>
  `{${Object.entries(fields)
    .map(([name, value]) => `[${quoted(name)}]=${quoted(value)}`)
    .join(',')}}`

/** The one thread keeps the statuses of failures; it is asked for them at the end. */
const DONE = `
statuses = {}
failed = function(status)
  if status >= 400 then statuses[status] = (statuses[status] or 0) + 1 end
end
if not response then response = failed end
local thread
setup = function(each) thread = each end
done = function(summary, latency)
  local e = summary.errors
  local failures = { string.format('"timeout":%d,"connection":%d', e.timeout, e.connect + e.read + e.write) }
  for status, count in pairs(thread:get('statuses')) do
    failures[#failures + 1] = string.format('"%d":%d', status, count)
  end
  io.write(string.format('RESULT {"rate":%.2f,"requests":%d,"p50":%.3f,"p99":%.3f,"failures":{%s}}\\n',
    summary.requests / summary.duration * 1e6, summary.requests, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, table.concat(failures, ',')))
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
local list = {${ticks.map(({ path, headers, version, completed }) => `{path=${quoted(path)},headers=${table({ ...headers, 'Content-Type': 'application/json' })},version=${version},done=${completed}}`).join(',\n')}}
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
  failed(status)
  if status ~= 200 then return end
  local todo = byId[body:match('"id":(%d+)')]
  local tag = headers['ETag'] or headers['Etag'] or headers['etag']
  if todo and tag then todo.version = tonumber(tag:match('(%d+)')); todo.done = not todo.done end
end`

/** Nothing where wrk is not installed. It tells its version and ends with a failure. */
export function wrkVersion(): string | undefined {
  const { stdout } = spawnSync('wrk', ['--version'], { encoding: 'utf8' })
  return /wrk [\w./-]+/.exec(stdout ?? '')?.[0]
}

export async function runWrk(
  url: string,
  { connections, duration, requests, ticks }: Load,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'todo-app-bench-'))
  const script = join(directory, 'load.lua')
  writeFileSync(script, `${ticks ? ticking(ticks) : inTurn(requests ?? [])}\n${DONE}\n`)
  const how = [
    '-t1',
    `-c${connections}`,
    `-d${duration}s`,
    '--timeout',
    `${TIMEOUT}s`,
    '-s',
    script,
  ]
  const child = spawn('taskset', ['-c', LOAD_CORE, 'wrk', ...how, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = await text(child.stdout)
  rmSync(directory, { recursive: true })
  const [, result] = /^RESULT (.*)$/m.exec(output) ?? []
  if (result === undefined) throw new Error(`wrk gave no result:\n${output}`)
  return JSON.parse(result)
}
