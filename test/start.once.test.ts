import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { chmod, readdir, stat, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { buildPages, INPUTS } from '../scripts/build/pages.ts'
import { buildServer } from '../scripts/build/server.ts'
import { installation } from './command.ts'
import { freePort } from './free-port.ts'
import { copyOf, startServer } from './server.ts'

const root = resolve(import.meta.dirname, '..')
const BUILT = join(root, 'dist/main.js')
const TOLD = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }

test('a start takes the code that an earlier one compiled', async (t) => {
  const { todo } = await installation(t)
  assert.equal((await todo(['--version'])).code, 0)
  const { code, stderr } = await todo(['--version'], { variables: TOLD })
  assert.equal(code, 0)
  assert.match(stderr, /node_modules\/\.cache\/node/)
  assert.match(stderr, /code cache for ESM \S+\/src\/command-line\.ts was accepted/)
})

test('it starts as well where no compiled code may be kept', async (t) => {
  const { todo } = await installation(t)
  const { code, stdout } = await todo(['--version'], {
    variables: { NODE_COMPILE_CACHE: '/dev/null/none' },
  })
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+/)
})

test('what is built serves without the sources: the API, its documentation and the pages', async (t) => {
  const place = await copyOf(t, ['package.json', 'dist'])
  const { url } = await startServer(t, {}, join(place, 'dist/main.js'))
  for (const path of ['/health', '/api/v1/todos', '/openapi.json', '/docs', '/login']) {
    const { status } = await fetch(`${url}${path}`)
    assert.equal(status, path === '/api/v1/todos' ? 401 : 200, path)
  }
})

test('what is built leaves out no check: text that is not UTF-8 is a 400', async (t) => {
  const { url } = await startServer(t)
  const passwords = ['%FC'.repeat(8), '%E4%F6'.repeat(4)]
  for (const password of passwords) {
    const body = new URLSearchParams('fname=A&lname=B&email=a%40example.com')
    const signUp = await fetch(`${url}/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${body}&password=${password}`,
    })
    assert.equal(signUp.status, 400, password)
  }
})

test('an SQLite file that cannot be opened or written is named at the start, with what to look at (1)', async (t) => {
  const { todo, directory } = await installation(t)
  const serve = async (path: string, fileSize?: number) => {
    const variables = { DATABASE_URL: `sqlite:///${path}` }
    const { code, stderr } = await todo([], { variables, fileSize })
    assert.equal(code, 1)
    return stderr
  }
  assert.equal(
    await serve(directory),
    `${directory}: unable to open database file. ` +
      'Look whether this user may read and write it, and make files in its folder.\n',
  )
  const file = join(directory, 'file')
  await writeFile(file, '')
  assert.equal(
    await serve(join(file, 'todo.db')),
    `${file}/todo.db: not a directory. A file is where its folder should be.\n`,
  )
  // Too small for what SQLite keeps beside it, and for the migrations.
  for (const fileSize of [20, 80]) {
    const path = join(directory, `todo-${fileSize}.db`)
    assert.equal(
      await serve(path, fileSize),
      `${path}: disk I/O error. Look whether its disk is full or broken, or a limit is reached.\n`,
    )
  }
})

test('an SQLite database that is made is for its owner only, in a folder that was there too', async (t) => {
  const { todo, directory } = await installation(t)
  const path = join(directory, 'todo.db')
  const variables = { DATABASE_URL: `sqlite:///${path}` }
  await chmod(directory, 0o755)
  const server = await startServer(t, variables)
  const modes = async () => {
    const names = (await readdir(directory)).filter((name) => name.startsWith('todo.db'))
    return Promise.all(names.map(async (name) => (await stat(join(directory, name))).mode & 0o777))
  }
  // The database, and what SQLite keeps beside it.
  assert.deepEqual(await modes(), [0o600, 0o600, 0o600])
  // Whoever wants it otherwise may have it so.
  await chmod(path, 0o640)
  assert.equal((await todo(['migrate'], { variables })).code, 0)
  assert.equal((await stat(path)).mode & 0o777, 0o640)
  assert.equal((await fetch(`${server.url}/ready`)).status, 200)

  const copy = join(directory, 'copy.db')
  assert.equal((await todo(['copy', '--to', `sqlite:///${copy}`], { variables })).code, 0)
  assert.equal((await stat(copy)).mode & 0o777, 0o600)
})

test('told to stop at its first connection, it still answers what that brings', async (t) => {
  const { directory, variables } = await installation(t)
  // `localhost` is looked up and listened on at several addresses, so beginning takes some milliseconds:
  // of five starts one at the least falls into them, more likely three.
  for (let start = 0; start < 5; start++) {
    const port = await freePort()
    const child = spawn(process.execPath, [BUILT], {
      cwd: directory,
      env: { ...variables, HOST: 'localhost', PORT: String(port), WEB_CONCURRENCY: '1' },
      stdio: 'ignore',
    })
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const socket = await firstConnection(port)
    child.kill('SIGTERM')
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
    assert.match(await text(socket), /^HTTP\/1\.1 200 /)
    assert.deepEqual(await ended, [0, null])
  }
})

/** Connects at the first moment at which somebody listens. */
async function firstConnection(port: number): Promise<Socket> {
  for (let patience = 20_000; patience > 0; patience--) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      // Nobody listens yet; a refusal takes a fraction of a millisecond.
    }
  }
  throw new Error(`Nobody listens at ${port}.`)
}

test('what is built is built again only after something changed', async () => {
  assert.equal(await buildServer(), 'fresh')
  assert.equal(await buildPages(), 'fresh')
})

/** The sources at `path` and what they import for more than its types, by their paths from here. */
function sourcesOf(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  const code = readFileSync(resolve(root, path), 'utf8')
  for (const [, other = ''] of code.matchAll(
    /^(?:import(?! type)|} from|export).*'(\..+\.ts)'/gm,
  )) {
    sourcesOf(join(dirname(path), other), found)
  }
  return found
}

test('a change of any source of the pages’ script is noticed', () => {
  const noticed = new Set(globSync(INPUTS, { cwd: root }))
  const sources = [...sourcesOf('browser/main.ts')]
  assert.ok(sources.length > 30, `${sources.length} files`)
  assert.deepEqual(
    sources.filter((path) => !noticed.has(path)),
    [],
  )
})

/** The built file at `path` and all that it loads, by their paths. */
function loadedBy(path: string, files = new Map<string, string>()): Map<string, string> {
  if (files.has(path)) return files
  const code = readFileSync(path, 'utf8')
  files.set(path, code)
  for (const [, other = ''] of code.matchAll(/(?:from|import)\s*\(?"(\.[^"]+\.js)"/g)) {
    loadedBy(resolve(dirname(path), other), files)
  }
  return files
}

test('what is built is Latin-1, since V8 keeps other text in twice the memory', () => {
  const files = loadedBy(BUILT)
  assert.ok(files.size > 10, `${files.size} files`)
  for (const [path, code] of files) assert.doesNotMatch(code, /[^\0-\xff]/, path)
})
