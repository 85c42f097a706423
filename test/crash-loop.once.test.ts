import assert from 'node:assert/strict'
import { readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { load } from './load.ts'
import { folder } from './poolers.ts'
import { copyOfProgram, listeningLines, type Server, startServer, until } from './server.ts'

/** Waits for two workers, and gives what lists all that ever served. */
async function bothListening(server: Server) {
  const listening = () => listeningLines(server)
  await until(() => listening().length === 2, server.output)
  return listening
}

/** Two workers that serve an SQLite file. */
async function servingFile(t: TestContext) {
  const { program, main } = await copyOfProgram(t)
  const path = join(program, 'todo.db')
  const variables = { WEB_CONCURRENCY: '2', DATABASE_URL: `sqlite:///${path}` }
  const server = await startServer(t, variables, main)
  return { path, server, listening: await bothListening(server) }
}

test('SIGHUP runs the files as they are now; one that does not start leaves the old workers', async (t) => {
  const { program, main } = await copyOfProgram(t)
  const server = await startServer(t, { WEB_CONCURRENCY: '2' }, main)
  const requests = await load(server.url)
  await requests.more(50)

  const file = join(program, 'package.json')
  const versionNow = async () =>
    JSON.parse(await (await fetch(`${server.url}/health`)).text()).version
  const was = await versionNow()
  await writeFile(file, (await readFile(file, 'utf8')).replace(`"${was}"`, '"99.0.0"'))
  process.kill(server.pid, 'SIGHUP')
  await until(async () => /all workers are new/.test(server.output()), server.output)
  assert.equal(await versionNow(), '99.0.0')

  await writeFile(join(program, 'src/app.ts'), 'this file is damaged')
  process.kill(server.pid, 'SIGHUP')
  await until(() => /no new worker starts/.test(server.output()), server.output)
  await requests.more(50)
  assert.equal(await versionNow(), '99.0.0')
  await requests.stop()
  assert.deepEqual(requests.failed(), [])
})

test('SIGHUP runs the version to which a symbolic link leads by then, and data/ stays', async (t) => {
  const { program: old } = await copyOfProgram(t)
  const { program: next } = await copyOfProgram(t)
  const file = join(next, 'package.json')
  const { version: was } = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, (await readFile(file, 'utf8')).replace(`"${was}"`, '"99.0.0"'))
  const place = await folder(t, undefined, {})
  const current = join(place, 'current')
  await symlink(old, current)
  const server = await startServer(t, { WEB_CONCURRENCY: '2' }, join(current, 'src/main.ts'))
  const requests = await load(server.url)
  await requests.more(50)

  await symlink(next, `${current}.new`)
  await rename(`${current}.new`, current)
  process.kill(server.pid, 'SIGHUP')
  await until(() => /all workers are new/.test(server.output()), server.output)
  const { version } = JSON.parse(await (await fetch(`${server.url}/health`)).text())
  assert.equal(version, '99.0.0')
  // Of the old workers' signing key, which is in data/: the tokens are good as before.
  await requests.more(50)
  await requests.stop()
  assert.deepEqual(requests.failed(), [])
})

test('SIGHUP exchanges the workers at once after one could not be replaced', async (t) => {
  const { program } = await copyOfProgram(t)
  const main = join(program, 'dist/main.js')
  const server = await startServer(t, { WEB_CONCURRENCY: '2' }, main)
  const listening = await bothListening(server)
  const whole = await readFile(main, 'utf8')
  await writeFile(main, 'this file is damaged')
  process.kill(Number(listening()[0]?.pid), 'SIGTERM')
  await until(() => /no new worker starts/.test(server.output()), server.output)
  await writeFile(main, whole)
  process.kill(server.pid, 'SIGHUP')
  await until(() => /all workers are new/.test(server.output()), server.output)
})

/** Puts a migration into the program, which does `statement`. */
async function addMigration(program: string, name: string, statement: string): Promise<void> {
  const file = join(program, 'src/db/migrations/index.ts')
  const code = `{ up: async (db) => void (await sql\`${statement}\`.execute(db)) }`
  const text = (await readFile(file, 'utf8')).replace(/\n}\n$/, `\n  '${name}': ${code},\n}\n`)
  await writeFile(file, `import { sql } from 'kysely'\n${text}`)
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a worker in another's place brings the schema to that of its files (${signal})`, async (t) => {
    const { program, main } = await copyOfProgram(t)
    const server = await startServer(t, { WEB_CONCURRENCY: '2' }, main)
    const listening = await bothListening(server)
    await addMigration(program, '9000-good', 'create table good (id integer)')
    process.kill(Number(listening()[0]?.pid), signal)
    await until(() => listening().length === 3, server.output)
    const ran = server.logged('migrations').map(({ migrations }) => migrations)
    assert.deepEqual(ran.at(-1), ['9000-good'])
  })
}

test('a worker whose migration fails takes no place: the old one stays', async (t) => {
  const { program, main } = await copyOfProgram(t)
  const server = await startServer(t, { WEB_CONCURRENCY: '2' }, main)
  const listening = await bothListening(server)
  await addMigration(program, '9000-bad', 'alter table nowhere add column a integer')
  const old = Number(listening()[0]?.pid)
  process.kill(old, 'SIGTERM')
  await until(() => /no new worker starts/.test(server.output()), server.output)
  assert.ok(process.kill(old, 0))
  assert.equal(listening().length, 2)
})

test('a migration that failed is not tried again and again while others serve', async (t) => {
  const { program, main } = await copyOfProgram(t)
  const server = await startServer(t, { WEB_CONCURRENCY: '2' }, main)
  const listening = await bothListening(server)
  await addMigration(program, '9000-bad', 'alter table nowhere add column a integer')
  process.kill(Number(listening()[0]?.pid), 'SIGKILL')
  const ended = () => server.logged('ending').length
  await until(() => ended() === 2, server.output)
  // By then it would have been tried four times more.
  await delay(2_000)
  assert.equal(ended(), 2)
  assert.equal((await fetch(`${server.url}/ready`)).status, 200)
})

test('a worker in another’s place serves no empty database', async (t) => {
  const { path, server, listening } = await servingFile(t)
  for (const name of ['', '-wal', '-shm']) await rename(`${path}${name}`, `${path}.away${name}`)
  process.kill(Number(listening()[0]?.pid), 'SIGTERM')
  await until(() => /no new worker starts/.test(server.output()), server.output)
  assert.match(server.output(), /is not there: this one is empty/)
  assert.equal(listening().length, 2)
})

test('a worker is replaced as ever while a newer version has migrated already', async (t) => {
  const { path, server, listening } = await servingFile(t)
  const database = new DatabaseSync(path)
  t.after(() => database.close())
  database.exec("insert into kysely_migration (name, timestamp) values ('9999-later', '2030')")
  process.kill(Number(listening()[0]?.pid), 'SIGKILL')
  await until(() => listening().length === 3, server.output)
})

test('workers that do not stay alive are started later and later, then given up with the reason (1)', async (t) => {
  const { program, main } = await copyOfProgram(t)
  const server = await startServer(t, { WEB_CONCURRENCY: '2' }, main)
  // A worker that fails before the others are asked to start would end the service at once.
  await until(() => server.logged('worker').some(({ worker }) => worker === 2), server.output)
  await writeFile(join(program, 'src/app.ts'), 'this file is damaged')
  // The second one too, which may have read the file before: with one that goes on nobody gives up.
  const workers = new Set(server.logged('worker').map(({ pid }) => Number(pid)))
  for (const pid of workers) process.kill(pid, 'SIGKILL')
  assert.equal(await server.ended, 1)
  const [verdict] = server.logged('reason')
  assert.equal(verdict?.level, 60)
  assert.match(String(verdict?.reason), /^8 workers in a row .*SyntaxError/s)
  // The first two are replaced at once, the following after waits that grow.
  const times = server.logged('ending').map(({ time }) => Date.parse(String(time)))
  const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  assert.ok(Math.max(...waits.slice(-2)) > Math.max(...waits.slice(0, 2)), waits.join(' '))
})

test('a first worker that cannot start ends the service with its message and code', async (t) => {
  const { program, main } = await copyOfProgram(t)
  await writeFile(join(program, 'src/app.ts'), 'this file is damaged')
  await assert.rejects(
    startServer(t, { WEB_CONCURRENCY: '2' }, main),
    /exited with 1 before listening[\s\S]*SyntaxError/,
  )
})

test('a mistake of ours ends the start with its place in the code, whatever its code', async (t) => {
  const { program, main } = await copyOfProgram(t)
  await writeFile(join(program, 'src/app.ts'), `export const buildApp = () => new URL('nonsense')`)
  await assert.rejects(
    startServer(t, {}, main),
    /exited with 1 before listening[\s\S]*TypeError: Invalid URL[\s\S]*at buildApp .*app\.ts:1:/,
  )
})
