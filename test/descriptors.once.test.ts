import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { hash as makeBcrypt } from '@node-rs/bcrypt'
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
  const file = join(folder, 'todo.db')
  const first = `data:text/javascript,${encodeURIComponent(before)}`
  const words = ['sh', '-c', limited, 'sh', process.execPath, `--import=${first}`, BUILT]
  await writeFile(main, `process.execve('/bin/sh', ${JSON.stringify(words)}, process.env)`)
  const server = await startServer(
    t,
    // So that none of the idle connections makes room while the test still looks.
    {
      DATABASE_URL: `sqlite:///${file}`,
      WEB_CONCURRENCY: '1',
      ...{ HEADERS_TIMEOUT: LONG, REQUEST_TIMEOUT: LONG, KEEP_ALIVE_TIMEOUT: LONG },
    },
    main,
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ask = async (method: string, path: string, accept: string, body?: object) => {
    const kind = body instanceof URLSearchParams ? 'x-www-form-urlencoded' : 'json'
    const headers = { accept, 'content-type': `application/${kind}` }
    const asked = request(`${server.url}${path}`, { agent, method, headers })
    asked.end(body instanceof URLSearchParams ? body.toString() : body && JSON.stringify(body))
    const [answer] = await once(asked, 'response')
    return { status: answer.statusCode, headers: answer.headers, body: await text(answer) }
  }
  assert.equal((await ask('GET', '/ready', '*/*')).status, 200)
  const signUp = () => ask('POST', '/api/v1/users/signup', 'application/json', { ...ann })
  return { server, file, ask, signUp }
}

const ann = { email: 'ann@example.com', password: PASSWORD, fname: 'Ann', lname: 'Archer' }

type Answer = Awaited<ReturnType<Awaited<ReturnType<typeof withFewDescriptors>>['ask']>>

function assertToComeAgain(answer: Answer): void {
  assert.equal(answer.status, 503, answer.body)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.match(answer.headers['retry-after'], /^[1-9]\d*$/)
  assert.doesNotMatch(answer.body, /node_modules|open files|binding/)
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

const SKIPPED = process.platform === 'win32' && 'there is no such limit'

for (const [state, before] of [
  ['the list of common passwords is found already', DESCRIBED],
  ['nothing is known of it yet', ''],
] as const) {
  test(`with no file descriptor left, pages are served, and a first sign-up is told to come again (503): ${state}`, {
    skip: SKIPPED,
  }, async (t) => {
    const { server, ask, signUp } = await withFewDescriptors(t, before)
    const free = await takeDescriptors(t, server.url)
    const page = await ask('GET', '/login', 'text/html')
    assert.equal(page.status, 200, page.body)
    assert.match(page.body, /<link rel="stylesheet" href="\/assets\/[^"]+\.css">/)
    assertToComeAgain(await signUp())
    free()
    await until(
      async () => (await signUp()).status === 201,
      () => 'an account is made once there is room',
    )
  })
}

test('with no file descriptor left, the password of an imported account is not taken for a wrong one (503)', {
  skip: SKIPPED,
}, async (t) => {
  const { server, file, ask, signUp } = await withFewDescriptors(t, '')
  assert.equal((await signUp()).status, 201)
  const db = new DatabaseSync(file)
  db.prepare('update users set password_hash = ?').run(await makeBcrypt(PASSWORD, 4))
  db.close()
  const signIn = () =>
    ask(
      'POST',
      '/auth/token',
      'application/json',
      new URLSearchParams({ username: ann.email, password: PASSWORD }),
    )
  const free = await takeDescriptors(t, server.url)
  assertToComeAgain(await signIn())
  free()
  await until(
    async () => (await signIn()).status === 200,
    () => 'the account is signed in once there is room',
  )
})
