// HAProxy and PgBouncer as Debian has them, in front of what a test started.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'

const PATIENCE = 60_000

/** Why tests that need `program` are left out; false where it is. */
export const absent = (program: string): string | false =>
  spawnSync(program, ['-v']).error !== undefined && `this machine has no ${program}`

/** HAProxy before `servers`, which takes them in turn; gives its URL. */
export async function startHaproxy(t: TestContext, servers: readonly string[]): Promise<string> {
  const port = await freePort()
  const lines = servers.map(
    (url, index) => `  server replica${index} ${new URL(url).host} check inter 500ms`,
  )
  const configuration = `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option forwardfor
frontend public
  bind 127.0.0.1:${port}
  default_backend replicas
backend replicas
  balance roundrobin
  option httpchk GET /ready
  option redispatch 1
  retry-on conn-failure
${lines.join('\n')}
`
  const directory = await folder(t, undefined, { 'haproxy.cfg': configuration })
  await start(t, port, 'haproxy', ['-db', '-f', join(directory, 'haproxy.cfg')])
  return `http://127.0.0.1:${port}`
}

/**
 * PgBouncer in transaction mode before the server of `databaseUrl`, with so few connections of its
 * own that clients must share them; gives the URL of the same database through it.
 */
export async function startPgbouncer(t: TestContext, databaseUrl: string): Promise<string> {
  const url = new URL(databaseUrl)
  const port = await freePort()
  const configuration = `
[databases]
* = host=${url.hostname} port=${url.port || '5432'}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users.txt
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
`
  const users = `"${decodeURIComponent(url.username)}" "${decodeURIComponent(url.password)}"\n`
  // It refuses to run as root.
  const owner = process.getuid?.() === 0 ? nobody() : undefined
  const cwd = await folder(t, owner, { 'pgbouncer.ini': configuration, 'users.txt': users })
  await start(t, port, 'pgbouncer', ['pgbouncer.ini'], { ...owner, cwd })
  url.host = `127.0.0.1:${port}`
  return url.href
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

function nobody(): Owner {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** A folder with these files, gone with the test. */
export async function folder(
  t: TestContext,
  owner: Owner | undefined,
  contents: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'todo-app-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const paths = Object.entries(contents).map(async ([name, content]) => {
    await writeFile(join(directory, name), content, { mode: 0o600 })
    return join(directory, name)
  })
  for (const path of [...(await Promise.all(paths)), directory]) {
    if (owner) await chown(path, owner.uid, owner.gid)
  }
  return directory
}

/** Runs a program until the test ends; gives once it takes connections. */
export async function start(
  t: TestContext,
  port: number,
  program: string,
  parameters: readonly string[],
  options: { cwd?: string; uid?: number; gid?: number } = {},
): Promise<void> {
  const child = spawn(program, parameters, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  t.after(() => end(child))
  const deadline = Date.now() + PATIENCE
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`${program} does not listen\n${output}`)
    }
    await delay(50)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  // Killed, nginx would leave its workers behind; told to end, PgBouncer may wait for its clients.
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
  await exited
  clearTimeout(timer)
}

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).finally(() => socket.destroy())
}
