import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import {
  chmod,
  chown,
  copyFile,
  link,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Value } from 'typebox/value'
import { Tokens } from '../src/features/sessions/schema.ts'
import { ANN, emails, type Installation, onSqlite, succeeded } from './command.ts'
import { type Server, startServer } from './server.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const password = 'rain on tin roofs'

/** Adds todos as fast as it can until told to stop, and gives the texts that were acknowledged. */
async function keepAdding({ url, todo }: Server) {
  succeeded(await todo(ANN, { input: password }))
  const form = new URLSearchParams({ username: 'ann@example.com', password })
  const signedIn = await fetch(`${url}/auth/token`, { method: 'POST', body: form })
  const { access_token } = Value.Parse(Tokens, await signedIn.json())
  const acknowledged: string[] = []
  let stopped = false
  const adding = (async () => {
    for (let number = 0; !stopped; number++) {
      const answer = await fetch(`${url}/api/v1/todos`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ text: `todo ${number}` }),
      })
      assert.equal(answer.status, 201)
      acknowledged.push(`todo ${number}`)
    }
  })()
  return {
    acknowledged,
    stop: async () => {
      stopped = true
      await adding
    },
  }
}

test('a backup while writes go on has all that was acknowledged before it, and no half of anything', async (t) => {
  const place = await onSqlite(t)
  const server = await startServer(t, { DATABASE_URL: `sqlite:///${place.path}` })
  const writer = await keepAdding({ ...server, todo: place.todo })
  while (writer.acknowledged.length < 20) await delay(10)
  const before = writer.acknowledged.length
  const backup = join(place.directory, 'backup.db')
  const stdout = succeeded(await place.todo(['backup', backup]))
  const after = writer.acknowledged.length
  await writer.stop()
  assert.ok(after > before, 'the service went on writing meanwhile')

  const database = new DatabaseSync(backup, { readOnly: true })
  const kept = database.prepare('select text from todos order by id').all()
  database.close()
  assert.ok(kept.length >= before)
  assert.deepEqual(
    kept.map(({ text }) => text),
    Array.from(kept, (_, number) => `todo ${number}`),
  )
  assert.match(stdout, new RegExp(`^ +${kept.length} {2}todos$`, 'm'))
  assert.match(stdout, / 1 {2}users$/m)

  // One file, that only its owner may read, and nothing beside it.
  assert.equal((await stat(backup)).mode & 0o777, 0o600)
  const beside = await readdir(place.directory)
  assert.deepEqual(
    beside.filter((name) => name.startsWith('backup')),
    ['backup.db'],
  )
})

test('a backup and its restoring bring everything back', async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  succeeded(await todo(ANN, { input: password }))

  const refused = await todo(['restore', backup])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /todo\.db is there already\. Give --force/)
  assert.equal((await emails(todo)).length, 3)

  const restored = succeeded(await todo(['restore', backup, '--force']))
  assert.match(restored, / 14 {2}todos$/m)
  assert.deepEqual(await emails(todo), ['johndoe@example.com', 'alice@example.com'])
  // What was overwritten is not lost.
  const [, kept = ''] = /What was there before is kept in (.+)\.$/m.exec(restored) ?? []
  assert.equal((await emails(todo, { DATABASE_URL: `sqlite:///${kept}` })).length, 3)

  const elsewhere = join(directory, 'new', 'todo.db')
  succeeded(
    await todo(['restore', backup], { variables: { DATABASE_URL: `sqlite:///${elsewhere}` } }),
  )
  assert.equal((await emails(todo, { DATABASE_URL: `sqlite:///${elsewhere}` })).length, 2)
})

test('while the service runs, a restore refuses and touches nothing', async (t) => {
  const place = await onSqlite(t)
  succeeded(await place.todo(['reset']))
  const backup = join(place.directory, 'backup.db')
  succeeded(await place.todo(['backup', backup]))
  const server = await startServer(t, { DATABASE_URL: `sqlite:///${place.path}` })
  const { code, stderr } = await place.todo(['restore', backup, '--force'])
  assert.equal(code, 1)
  assert.match(stderr, /todo\.db is in use\. Stop the service first\./)
  assert.equal((await fetch(`${server.url}/ready`)).status, 200)
  assert.deepEqual((await readdir(place.directory)).sort(), [
    'backup.db',
    'todo.db',
    'todo.db-shm',
    'todo.db-wal',
  ])
})

test('a damaged database can be replaced, and is kept', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  await writeFile(path, 'no database at all, but long enough for one to look at '.repeat(100))
  assert.equal((await todo(['backup', join(directory, 'second.db')])).code, 1)
  const restored = succeeded(await todo(['restore', backup, '--force']))
  assert.match(restored, /What was there before is kept in/)
  assert.equal((await emails(todo)).length, 2)
})

test('restores right after each other keep all that they replace', async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  const kept = new Set<string>()
  for (let count = 0; count < 3; count++) {
    const restored = succeeded(await todo(['restore', backup, '--force']))
    const [, path = ''] = /What was there before is kept in (.+)\.$/m.exec(restored) ?? []
    kept.add(path)
    assert.equal((await emails(todo, { DATABASE_URL: `sqlite:///${path}` })).length, 2)
  }
  assert.equal(kept.size, 3)
})

test('a restore refuses what is no sound backup, and touches nothing', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  const before = await readFile(path)
  const broken = (name: string) => join(directory, name)

  await copyFile(backup, broken('half.db'))
  await truncate(broken('half.db'), 20_000)
  await writeFile(broken('text.db'), 'todos: none\n'.repeat(1000))
  new DatabaseSync(broken('other.db')).exec('create table songs (id integer)')
  await copyFile(backup, broken('newer.db'))
  const newer = new DatabaseSync(broken('newer.db'))
  newer.exec("insert into kysely_migration (name, timestamp) values ('9999-later', '2030-01-01')")
  newer.close()
  await symlink('loop.db', broken('loop.db'))

  for (const [name, reason] of [
    ['half.db', /half\.db (is damaged|cannot be read as a database)/],
    ['text.db', /text\.db cannot be read as a database: file is not a database/],
    ['other.db', /other\.db is not a database of this service/],
    ['newer.db', /9999-later\. It was used by a newer version/],
    ['absent.db', /There is no file .*absent\.db/],
    ['loop.db', /loop\.db: too many symbolic links/],
  ] as const) {
    const { code, stderr } = await todo(['restore', broken(name), '--force'])
    assert.equal(code, 1, name)
    assert.match(stderr, reason)
  }
  assert.deepEqual(await readFile(path), before)
  assert.deepEqual(
    (await readdir(directory)).filter((name) => /partial|todo\.db\./.test(name)),
    [],
  )
})

test('a backup overwrites another only when told, and never half', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  const backup = join(directory, 'backup.db')
  const early = await todo(['backup', backup])
  assert.equal(early.code, 1)
  assert.match(early.stderr, /There is no file .*todo\.db/)
  await assert.rejects(stat(path), 'no database was made by looking for one')

  succeeded(await todo(['reset']))
  succeeded(await todo(['backup', backup]))
  const first = await readFile(backup)
  succeeded(await todo(ANN, { input: password }))
  const refused = await todo(['backup', backup])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /backup\.db is there already\. Give --force/)
  assert.deepEqual(await readFile(backup), first)
  assert.match(succeeded(await todo(['backup', backup, '--force'])), / 3 {2}users$/m)
})

/** The files of a database whose last process was killed: what it wrote last is in the log. */
async function killed(path: string): Promise<void> {
  const database = new DatabaseSync(`${path}.open`)
  database.exec('pragma journal_mode = wal; create table songs (text); begin')
  const insert = database.prepare('insert into songs values (?)')
  for (let number = 0; number < 2000; number++) insert.run(`song ${number} `.repeat(20))
  database.exec('commit')
  for (const end of ['', '-wal', '-shm']) await copyFile(`${path}.open${end}`, `${path}${end}`)
  database.close()
  await rm(`${path}.open`)
}

test('a backup refuses to overwrite the database itself, by whatever name or link', async (t) => {
  const place = await onSqlite(t)
  const { todo, directory, path } = place
  await symlink(path, join(directory, 'link.db'))
  const server = await startServer(t, { DATABASE_URL: `sqlite:///${path}` })
  await link(path, join(directory, 'same.db'))
  const writer = await keepAdding({ ...server, todo })
  for (const name of ['todo.db', './data/../todo.db', 'link.db', 'same.db', 'todo.db-wal']) {
    const { code, stderr } = await todo(['backup', name, '--force'])
    assert.equal(code, 1, name)
    assert.match(stderr, /is the database itself\. Name another file\./)
  }
  await writer.stop()
  const database = new DatabaseSync(path, { readOnly: true })
  const kept = database.prepare('select text from todos order by id').all()
  database.close()
  assert.deepEqual(
    kept.map(({ text }) => text),
    writer.acknowledged,
  )
})

test('a backup refuses to take the place of what is not a file', async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  for (const options of [[], ['--force']]) {
    const { code, stderr } = await todo(['backup', directory, ...options])
    assert.deepEqual([code, stderr], [1, `${directory} is not a file. Name one.\n`])
  }
})

test('a backup does not overwrite a database that is in use', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const served = join(directory, 'served.db')
  const server = await startServer(t, { DATABASE_URL: `sqlite:///${served}` })
  const { code, stderr } = await todo(['backup', served, '--force'])
  assert.equal(code, 1)
  assert.match(stderr, /served\.db is in use\. Stop the service first\./)
  assert.equal((await fetch(`${server.url}/ready`)).status, 200)
  assert.deepEqual(await emails(todo, { DATABASE_URL: `sqlite:///${served}` }), [])
  assert.deepEqual(await emails(todo, { DATABASE_URL: `sqlite:///${path}` }), [
    'johndoe@example.com',
    'alice@example.com',
  ])
})

test('a backup leaves nothing beside it of what it overwrites', async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const file = join(directory, 'backup.db')
  await killed(file)
  succeeded(await todo(['backup', file, '--force']))
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.startsWith('backup')),
    ['backup.db'],
  )
  assert.equal((await emails(todo, { DATABASE_URL: `sqlite:///${file}` })).length, 2)
})

test('where there is no room for a copy, that place is named and not the one that is copied', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  const elsewhere = join(directory, 'elsewhere.db')
  const variables = { DATABASE_URL: `sqlite:///${elsewhere}` }
  const full = await todo(['backup', backup], { fileSize: 80 })
  succeeded(await todo(['backup', backup]))
  const alsoFull = await todo(['restore', backup], { variables, fileSize: 80 })
  for (const [{ code, stderr }, target, source] of [
    [full, backup, path],
    [alsoFull, elsewhere, backup],
  ] as const) {
    assert.equal(code, 1)
    assert.ok(stderr.startsWith(`${target}: disk I/O error. Look whether its disk is full`), stderr)
    assert.ok(!stderr.includes(source), stderr)
  }
})

/** Ends `todo …` by the signal while it copies into a file in `directory`, and gives its exit code. */
async function endWhileCopying(
  { directory, variables }: Installation,
  args: readonly string[],
  signal: NodeJS.Signals,
): Promise<number | null> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...variables },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  while (child.exitCode === null && partsIn(directory).length === 0) await setImmediate()
  child.kill(signal)
  const [code] = await ended
  return code
}

const partsIn = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.includes('.partial'))

test('a backup or restore that a signal ends leaves nothing of its copy (128 + the signal)', async (t) => {
  const place = await onSqlite(t)
  succeeded(await place.todo(['reset']))
  // So that the copy takes a while.
  const database = new DatabaseSync(place.path)
  database.exec('create table ballast as select zeroblob(2e8) as bytes')
  database.close()
  await copyFile(place.path, join(place.directory, 'backup.db'))
  for (const [args, signal, expected] of [
    [['backup', 'new.db'], 'SIGINT', 130],
    [['backup', 'new.db'], 'SIGTERM', 143],
    [['restore', 'backup.db', '--force'], 'SIGTERM', 143],
  ] as const) {
    assert.equal(await endWhileCopying(place, args, signal), expected)
    assert.deepEqual(partsIn(place.directory), [])
    assert.ok(!existsSync(join(place.directory, 'new.db')))
  }
  assert.deepEqual(await emails(place.todo), ['johndoe@example.com', 'alice@example.com'])
})

const skip = process.getuid?.() !== 0 && 'only root may give files to others'

test('what root restores belongs to whom the database belonged, or else the folder', {
  skip,
}, async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  const access = async (file: string) => {
    const { uid, gid, mode } = await stat(file)
    return [uid, gid, mode & 0o777]
  }
  await chown(path, 1234, 2345)
  await chmod(path, 0o660)
  succeeded(await todo(['restore', backup, '--force']))
  assert.deepEqual(await access(path), [1234, 2345, 0o660])

  await rm(path)
  await chown(directory, 3456, 4567)
  succeeded(await todo(['restore', backup]))
  assert.deepEqual(await access(path), [3456, 4567, 0o600])
})

test('for PostgreSQL the commands that do it are named, without the password', async (t) => {
  const { todo } = await onSqlite(t)
  const variables = {
    DATABASE_URL:
      'postgresql://ann:rosebud@db.example.org/todo?sslmode=require&password=rosebud&application_name=x',
  }
  const url = 'postgresql://ann@db.example.org/todo?sslmode=require&application_name=x'
  const file = "ann's last.dump"
  for (const [command, words] of [
    ['backup', ['pg_dump', '--format=custom', `--file=${file}`, url]],
    [
      'restore',
      [
        ...['pg_restore', '--exit-on-error', '--single-transaction', '--no-owner'],
        ...[`--dbname=${url}`, file],
      ],
    ],
  ] as const) {
    const { code, stderr } = await todo([command, file], { variables })
    assert.equal(code, 1)
    assert.doesNotMatch(stderr, /rosebud/)
    // What a shell makes of it, one word a line.
    const script = `set -- ${stderr.trim().split('\n').at(-1)}; printf '%s\\n' "$@"`
    assert.deepEqual(
      execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n'),
      words,
    )
  }
})

test('the commands for PostgreSQL have no word that its tools do not know', async (t) => {
  const { todo } = await onSqlite(t)
  const named = async (query: string) => {
    const DATABASE_URL = `postgresql://ann@db.example.org/todo?${query}`
    const { stderr } = await todo(['backup', 'x'], { variables: { DATABASE_URL } })
    return stderr.match(/todo\?(.*)'\n$/)?.[1]
  }
  assert.equal(await named('sslmode=no-verify'), 'sslmode=require')
  assert.equal(await named('uselibpqcompat=true&sslmode=verify-ca'), 'sslmode=verify-ca')
})
