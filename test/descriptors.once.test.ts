import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { startServer, until } from './server.ts'
import { PASSWORD } from './world.ts'

const DESCRIPTORS = 64
const LONG = '600000'
const BUILT = resolve(import.meta.dirname, '../dist/main.js')

/**
 * A server that may have few files and connections open, asked over one that it has already. It runs `before` before
 * anything else.
 */
async function withFewDescriptors(t: TestContext, before: string) {
  const folder = await mkdtemp(join(tmpdir(), 'todo-app-'))
  t.after(() => rm(folder, { recursive: true }))
  const main = join(folder, 'main.mjs')
  const limited = `ulimit -n ${DESCRIPTORS}; exec "$@"`
  const first = `data:text/javascript,${encodeURIComponent(before)}`
  const words = ['sh', '-c', limited, 'sh', process.execPath, `--import=${first}`, BUILT]
  await writeFile(main, `process.execve('/bin/sh', ${JSON.stringify(words)}, process.env)`)
  const server = await startServer(
    t,
    // So that none of the idle connections makes room while the test still looks.
    {
      DATABASE_URL: 'sqlite:///todo.db',
      WEB_CONCURRENCY: '1',
      ...{ HEADERS_TIMEOUT: LONG, REQUEST_TIMEOUT: LONG, KEEP_ALIVE_TIMEOUT: LONG },
    },
    main,
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ask = async (method: string, path: string, accept: string, body?: object) => {
    const headers = { accept, 'content-type': 'application/json' }
    const asked = request(`${server.url}${path}`, { agent, method, headers })
    asked.end(body && JSON.stringify(body))
    const [answer] = await once(asked, 'response')
    return { status: answer.statusCode, headers: answer.headers, body: await text(answer) }
  }
  assert.equal((await ask('GET', '/ready', '*/*')).status, 200)
  return { server, ask }
}

/** Connects until the server has closed a connection for want of a descriptor. Gives what frees them again. */
async function takeDescriptors(t: TestContext, url: string): Promise<() => void> {
  const { hostname, port } = new URL(url)
  let closed = 0
  const sockets = Array.from({ length: DESCRIPTORS }, () =>
    connect(Number(port), hostname)
      .on('error', () => {})
      .on('close', () => closed++),
  )
  const free = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(free)
  await until(
    () => closed > 0,
    () => 'a connection is closed',
  )
  return free
}

/** Where Node has read the description of a package already, it fails at the next of its files, and in other words. */
const DESCRIBED = `process.getBuiltinModule('module').createRequire(${JSON.stringify(BUILT)})
  .resolve('@zxcvbn-ts/language-common')`

for (const [state, before] of [
  ['the list of common passwords is found already', DESCRIBED],
  ['nothing is known of it yet', ''],
] as const) {
  test(`with no file descriptor left, pages are served, and a first sign-up is told to come again (503): ${state}`, {
    skip: process.platform === 'win32' && 'there is no such limit',
  }, async (t) => {
    const { server, ask } = await withFewDescriptors(t, before)
    const signUp = () =>
      ask('POST', '/api/v1/users/signup', 'application/json', {
        ...{ email: 'ann@example.com', password: PASSWORD, fname: 'Ann', lname: 'Archer' },
      })
    const free = await takeDescriptors(t, server.url)
    const page = await ask('GET', '/login', 'text/html')
    assert.equal(page.status, 200, page.body)
    assert.match(page.body, /<link rel="stylesheet" href="\/assets\/[^"]+\.css">/)
    const refused = await signUp()
    assert.equal(refused.status, 503, refused.body)
    assert.equal(refused.headers['content-type'], 'application/problem+json')
    assert.match(refused.headers['retry-after'], /^[1-9]\d*$/)
    assert.doesNotMatch(refused.body, /node_modules|open files/)
    free()
    await until(
      async () => (await signUp()).status === 201,
      () => 'an account is made once there is room',
    )
  })
}
