import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chown,
  lchown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Value } from 'typebox/value'
import { Tokens } from '../src/features/sessions/schema.ts'
import { Todo } from '../src/features/todos/schema.ts'
import { ANN, emails, onSqlite, succeeded } from './command.ts'
import { startServer } from './server.ts'

/** Where a restore and a backup put what they made, and what they refuse to take the place of. */

const input = 'rain on tin roofs'
const DEMO = ['johndoe@example.com', 'alice@example.com']

test('nothing takes the place of a database that was moved away while the service runs', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  const server = await startServer(t, { DATABASE_URL: `sqlite:///${path}` })
  succeeded(await todo(ANN, { input }))
  await rename(path, `${path}.bad`)
  const before = await readdir(directory)
  const { code, stderr } = await todo(['restore', backup, '--force'])
  assert.equal(code, 1)
  assert.match(stderr, /todo\.db-wal is there, but not .*todo\.db\. .*Stop the service, /)
  assert.deepEqual(await readdir(directory), before)

  // What the message says to do loses nothing.
  process.kill(server.pid, 'SIGTERM')
  await server.ended
  await rename(`${path}.bad`, path)
  const restored = succeeded(await todo(['restore', backup, '--force']))
  const [, kept = ''] = /What was there before is kept in (.+)\.$/m.exec(restored) ?? []
  assert.deepEqual(await emails(todo, { DATABASE_URL: `sqlite:///${kept}` }), [
    ...DEMO,
    'ann@example.com',
  ])
})

test('nor is there a new database where a link leads to one that was moved away', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  const target = join(directory, 'elsewhere.db')
  await symlink(target, path)
  await writeFile(`${target}-wal`, 'what was written last')
  const { code, stderr } = await todo(['migrate'])
  assert.match(stderr, /leads to .*elsewhere\.db, which is not there/)
  assert.equal(code, 1)
  assert.deepEqual((await readdir(directory)).sort(), ['elsewhere.db-wal', 'todo.db'])
})

test('a start and a migration leave alone what is left of a database that was moved away, and say so', async (t) => {
  const { todo, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const wal = await readFile(path)
  await rename(path, `${path}.moved`)
  await writeFile(`${path}-wal`, wal)
  for (const command of [['serve'], ['migrate'], ['reset', '--force'], ANN]) {
    const { code, stderr } = await todo(command, { input })
    assert.match(stderr, /todo\.db-wal is there, but not .*todo\.db\. Was that moved away\?/)
    assert.equal(code, 1, command.join(' '))
    await assert.rejects(lstat(path))
    assert.deepEqual(await readFile(`${path}-wal`), wal)
  }
})

/** A person at a service, with the answers as they come. */
async function personAt(url: string, email: string) {
  const account = { email, password: input, fname: 'Some', lname: 'One' }
  const ask = (path: string, init?: RequestInit) => fetch(`${url}${path}`, init)
  const json = { 'content-type': 'application/json' }
  await ask('/api/v1/users/signup', {
    method: 'POST',
    headers: json,
    body: JSON.stringify(account),
  })
  const body = new URLSearchParams({ username: email, password: input })
  const signedIn = await ask('/auth/token', { method: 'POST', body })
  const { access_token } = Value.Parse(Tokens, await signedIn.json())
  const headers = { authorization: `Bearer ${access_token}`, ...json }
  return {
    token: access_token,
    status: async (token = access_token) =>
      (await ask('/auth/me', { headers: { authorization: `Bearer ${token}` } })).status,
    addTodo: async () => {
      const body = JSON.stringify({ text: 'Milk' })
      const added = await ask('/api/v1/todos', { method: 'POST', headers, body })
      return Value.Parse(Todo, await added.json()).id
    },
    revoke: (token: string) =>
      ask('/auth/revoke', { method: 'POST', body: new URLSearchParams({ token }) }),
  }
}

/** What somebody did at a service between a backup and its restoring, with or without the database of then. */
async function takenBack(t: TestContext, { isLost }: { isLost: boolean }) {
  const { todo, directory, path } = await onSqlite(t)
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['migrate']))
  succeeded(await todo(['backup', backup]))
  const variables = {
    DATABASE_URL: `sqlite:///${path}`,
    SECRET_KEY: randomBytes(32).toString('hex'),
  }
  const before = await startServer(t, variables)
  const eve = await personAt(before.url, 'eve@example.com')
  const todoOfEve = await eve.addTodo()
  process.kill(before.pid, 'SIGTERM')
  await before.ended
  if (isLost) await rm(path)
  succeeded(await todo(['restore', backup, '--force']))
  const after = await startServer(t, variables)
  // Sessions are told apart by the second in which they began.
  await delay(1000)
  const ann = await personAt(after.url, 'ann@example.com')
  return { eve, ann, todoOfEve, todoOfAnn: await ann.addTodo() }
}

test('a token of the time that a restore took back is nobody’s (401), and ends nobody’s session', async (t) => {
  const { eve, ann } = await takenBack(t, { isLost: true })
  assert.equal(await ann.status(eve.token), 401)
  assert.equal((await ann.revoke(eve.token)).status, 200)
  assert.equal(await ann.status(), 200)
  await ann.revoke(ann.token)
  assert.equal(await ann.status(), 401)
})

test('a restore takes the place of what is no database of this service, whatever ids that gave', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['migrate']))
  succeeded(await todo(['backup', backup]))
  const users = 'create table users (id integer primary key autoincrement)'
  for (const foreign of [`pragma encoding = 'UTF-16'; ${users}`, users, 'create table a (b)', '']) {
    await rm(path)
    const database = new DatabaseSync(path)
    database.exec(foreign)
    if (foreign.includes('users')) {
      database.exec('insert into users values (9223372036854775807)')
    }
    database.close()
    succeeded(await todo(['restore', backup, '--force']))
  }
  succeeded(await todo(ANN, { input }))
})

test('a restore gives no id again that the database before it gave', async (t) => {
  const { todoOfEve, todoOfAnn } = await takenBack(t, { isLost: false })
  assert.equal(todoOfAnn, todoOfEve + 1)
})

test('what is left of a database that is gone is no part of the next, which waits until it is moved', async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const file = join(directory, 'backup.db')
  for (const end of ['-wal', '-shm', '-journal']) {
    await writeFile(`${file}${end}`, '')
    const { code, stderr } = await todo(['backup', file, '--force'])
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`backup\\.db${end} is there, but not .*backup\\.db\\. `))
    await rm(`${file}${end}`)
  }
  succeeded(await todo(['backup', file]))
})

test('a symbolic link is followed: what it leads to is replaced, and it stays', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const disk = join(directory, 'disk')
  await mkdir(disk)
  await rename(path, join(disk, 'todo.db'))
  await symlink(join('disk', 'todo.db'), path)
  const link = join(directory, 'latest.db')
  await writeFile(join(disk, 'backup.db'), '')
  await symlink(join('disk', 'backup.db'), link)

  succeeded(await todo(['backup', link, '--force']))
  assert.deepEqual(await emails(todo, { DATABASE_URL: `sqlite:///${disk}/backup.db` }), DEMO)
  const restored = succeeded(await todo(['restore', link, '--force']))
  assert.match(restored, /What was there before is kept in .*\/disk\/todo\.db\.\d{8}T/)
  assert.deepEqual(await readdir(directory), ['disk', 'latest.db', 'todo.db'])
  for (const each of [link, path]) assert.ok((await lstat(each)).isSymbolicLink())
})

test('a symbolic link to what is not there is refused and stays', async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const link = join(directory, 'latest.db')
  await symlink('/mnt/not-mounted/backup.db', link)
  for (const force of [[], ['--force']]) {
    const { code, stderr } = await todo(['backup', link, ...force])
    const words = 'leads to /mnt/not-mounted/backup.db, which is not there'
    assert.ok(stderr.startsWith(`${link} is a symbolic link that ${words}. `), stderr)
    assert.equal(code, 1)
  }
  assert.ok((await lstat(link)).isSymbolicLink())
})

const skip = process.getuid?.() !== 0 && 'only root may give files to others'

test('root follows nobody’s link to what is somebody else’s', { skip }, async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const other = join(directory, 'passwords')
  await writeFile(other, 'root:x:0:0')
  const link = join(directory, 'backup.db')
  await symlink(other, link)
  await lchown(link, 1234, 1234)
  const { code, stderr } = await todo(['backup', link, '--force'])
  assert.match(stderr, /backup\.db is a symbolic link of another user than .*passwords, /)
  assert.equal(code, 1)
  assert.equal(await readFile(other, 'utf8'), 'root:x:0:0')
  await chown(other, 1234, 1234)
  succeeded(await todo(['backup', link, '--force']))
})

test('a backup of what is no sound database names that, and not the copy', async (t) => {
  const { todo, directory, path } = await onSqlite(t)
  const refusal = async () => {
    const { code, stderr } = await todo(['backup', join(directory, 'backup.db')])
    assert.equal(code, 1)
    assert.doesNotMatch(stderr, /backup\.db/)
    return stderr
  }
  await writeFile(path, '')
  assert.equal(await refusal(), `${path} is not a database of this service.\n`)
  const foreign = new DatabaseSync(path)
  foreign.exec('create table songs (id integer)')
  foreign.close()
  assert.equal(await refusal(), `${path} is not a database of this service.\n`)
  await rm(path)
  succeeded(await todo(['reset']))
  const damaged = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  damaged.exec('delete from users')
  damaged.close()
  assert.ok((await refusal()).startsWith(`${path} is damaged: `))
  const left = (await readdir(directory)).filter((name) => name.startsWith('backup'))
  assert.deepEqual(left, [])
})

test('what a backup or restore cannot make is named as it was asked for, with what to look at (1)', async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const nowhere = join(directory, 'nowhere/backup.db')
  assert.deepEqual(await todo(['backup', nowhere]), {
    code: 1,
    stdout: '',
    stderr: `${nowhere}: no such file or directory. Look whether its folder is there.\n`,
  })
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  const path = join(backup, 'todo.db')
  const variables = { DATABASE_URL: `sqlite:///${path}` }
  assert.deepEqual(await todo(['restore', backup], { variables }), {
    code: 1,
    stdout: '',
    stderr: `${path}: file already exists. A file is where its folder should be.\n`,
  })
})

test('folders that root’s restore makes belong to whom the one around them does, or a hint is given', {
  skip,
}, async (t) => {
  const { todo, directory } = await onSqlite(t)
  succeeded(await todo(['reset']))
  const backup = join(directory, 'backup.db')
  succeeded(await todo(['backup', backup]))
  const restore = async (path: string) =>
    succeeded(await todo(['restore', backup], { variables: { DATABASE_URL: `sqlite:///${path}` } }))
  const folder = join(directory, 'roots')
  assert.match(
    await restore(join(folder, 'todo.db')),
    new RegExp(`${folder} belongs to you: give it`),
  )

  await chown(directory, 3456, 4567)
  const made = ['data', 'data/deep', 'data/deep/todo.db'].map((part) => join(directory, part))
  assert.doesNotMatch(await restore(`${directory}//data/./deep/todo.db`), /belongs to you/)
  for (const part of made) {
    const { uid, gid, mode } = await lstat(part)
    assert.deepEqual([uid, gid, mode & 0o077], [3456, 4567, 0], part)
  }
})
