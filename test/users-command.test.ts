import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { sql } from 'kysely'
import { ANN, installation, withDatabase } from './command.ts'
import { startServer } from './server.ts'
import { isPostgresql } from './world.ts'

const input = 'rain on tin roofs\n'

test('the command line makes, lists and promotes users', async (t) => {
  const { todo } = await installation(t)
  const made = await todo(ANN, { input })
  assert.equal(made.stderr, '')
  assert.equal(made.stdout, 'Made the user ann@example.com with id 1.\n')
  const admin = await todo(
    ['user', 'create', 'root@example.com', '--fname', 'R', '--lname', 'T', '--admin'],
    { input },
  )
  assert.match(admin.stdout, /^Made the administrator root@example.com/)
  const list = async () => (await todo(['user', 'list'])).stdout
  assert.equal(
    await list(),
    '1\tann@example.com\tAnn\tArcher\tuser\n2\troot@example.com\tR\tT\tadministrator\n',
  )
  assert.equal((await todo(['user', 'promote', 'ANN@example.com'])).code, 0)
  assert.match(await list(), /^1\tann@example.com\tAnn\tArcher\tadministrator\n/)
})

test('who is demoted is an administrator no longer, from the next request on', async (t) => {
  const server = await startServer(t)
  await server.todo([...ANN, '--admin'], { input })
  const answer = await fetch(`${server.url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'ann@example.com', password: 'rain on tin roofs' }),
  })
  const { access_token } = Object(await answer.json())
  const listed = async () => {
    const headers = { authorization: `Bearer ${access_token}` }
    return (await fetch(`${server.url}/api/v1/users`, { headers })).status
  }
  assert.equal(await listed(), 200)
  // Who is none stays none.
  for (const _ of ['first', 'again']) {
    const { code, stdout, stderr } = await server.todo(['user', 'demote', 'ANN@example.com'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.equal(stdout, 'ANN@example.com is an ordinary user.\n')
    assert.equal(await listed(), 403)
  }
  assert.equal((await server.todo(['user', 'promote', 'ann@example.com'])).code, 0)
  assert.equal(await listed(), 200)
})

test('nobody can forge a row of the list of users, or steer the terminal that shows it', async (t) => {
  const server = await startServer(t)
  const names = {
    fname: 'Eve\n7\troot@example.com\tR\tT\tadministrator\x1b[2K\x1b]0;title\x07',
    lname: 'a\u202Eb\x9b1m',
  }
  const answer = await fetch(`${server.url}/api/v1/users/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'eve@example.com', password: 'rain on tin roofs', ...names }),
  })
  assert.equal(answer.status, 201)
  const { stdout } = await server.todo(['user', 'list'])
  assert.match(stdout, /^1\teve@example\.com\tEve[^\t\n]*\ta�b�1m\tuser\n$/)
  assert.doesNotMatch(stdout.replaceAll(/[\t\n]/g, ''), /[\p{Cc}\p{Cf}]/u)
})

test('the command line refuses what signing up would refuse', async (t) => {
  const { todo } = await installation(t)
  const common = await todo(ANN, { input: 'password1' })
  assert.equal(common.code, 1)
  assert.match(common.stderr, /password: is among the passwords that are tried first/)
  const faulty = await todo(['user', 'create', 'ann', '--fname', '', '--lname', 'A'], {
    input: 'short',
  })
  assert.equal(faulty.code, 1)
  for (const field of ['email', 'fname', 'password'])
    assert.match(faulty.stderr, new RegExp(`${field}: must`))
  await todo(ANN, { input })
  const again = await todo(ANN, { input })
  assert.deepEqual([again.code, again.stderr], [1, 'Email already registered.\n'])
  for (const verb of ['promote', 'demote']) {
    const unknown = await todo(['user', verb, 'bob@example.com'])
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'User bob@example.com not found\n'])
  }
})

test('a password of several lines is refused, since no field can hold it', async (t) => {
  const { todo } = await installation(t)
  for (const end of ['', '\n', '\r\n']) {
    const both = await todo(ANN, { input: `rain on tin roofs\nrain on tin roofs${end}` })
    assert.deepEqual([both.code, both.stderr], [64, 'The password must be one line.\n'])
  }
  const blank = await todo(ANN, { input: 'rain on tin roofs\r\n\r\n' })
  assert.deepEqual([blank.code, blank.stderr], [64, 'The password must be one line.\n'])
  assert.equal((await todo(ANN, { input: 'rain on tin roofs\r\n' })).code, 0)
})

test('with UPDATE_DB=0 the commands for users leave the schema alone, and say what to run', async (t) => {
  const { todo, directory } = await installation(t)
  const variables = { UPDATE_DB: '0' }
  const commands = [
    ANN,
    ['user', 'list'],
    ['user', 'promote', 'ann@example.com'],
    ['user', 'demote', 'ann@example.com'],
    ['user', 'password', 'ann@example.com'],
  ]
  const missing = isPostgresql
    ? /migrations pending: run `todo migrate`/
    : /There is no file .*todo\.db/
  for (const command of commands) {
    const { code, stderr } = await todo(command, { input, variables })
    assert.equal(code, 1, command.join(' '))
    assert.match(stderr, missing)
  }
  assert.ok(!(await readdir(directory)).includes('todo.db'))

  assert.match((await todo(['migrate'])).stdout, /^Ran /)
  for (const command of commands) {
    const { code, stderr } = await todo(command, { input, variables })
    assert.deepEqual([code, stderr], [0, ''])
  }
})

test('only the making of a user, which may come first of all, migrates the database', async (t) => {
  const { todo, variables } = await installation(t)
  await withDatabase(variables.DATABASE_URL ?? '', async (db) => {
    await sql`create table somebody_elses (id integer)`.execute(db)
  })
  for (const command of [
    ['user', 'list'],
    ['user', 'promote', 'ann@example.com'],
    ['user', 'demote', 'ann@example.com'],
    ['user', 'password', 'ann@example.com'],
  ]) {
    const { code, stderr } = await todo(command, { input })
    const message = 'The database has migrations pending: run `todo migrate` first.\n'
    assert.deepEqual([code, stderr], [1, message])
  }
  assert.equal((await todo(ANN, { input })).code, 0)
  assert.match((await todo(['user', 'list'])).stdout, /ann@example\.com/)
})

test('a new password by the command line opens the account and ends its sessions', async (t) => {
  const server = await startServer(t)
  await server.todo(ANN, { input })
  const signIn = (password: string) =>
    fetch(`${server.url}/auth/token`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ann@example.com', password }),
    })
  const { access_token } = Object(await (await signIn('rain on tin roofs')).json())
  const changed = await server.todo(['user', 'password', 'ann@example.com'], {
    input: 'snow on slate\n',
  })
  assert.deepEqual([changed.code, changed.stderr], [0, ''])
  assert.equal((await signIn('rain on tin roofs')).status, 401)
  assert.equal((await signIn('snow on slate')).status, 200)
  const me = await fetch(`${server.url}/auth/me`, {
    headers: { authorization: `Bearer ${access_token}` },
  })
  assert.equal(me.status, 401)
  const common = await server.todo(['user', 'password', 'ann@example.com'], { input: 'password1' })
  assert.deepEqual([common.code, common.stderr.startsWith('password: is among')], [1, true])
})

test('who reads no output, or only its beginning, does not make a command fail', async (t) => {
  const { todo } = await installation(t)
  const made = await todo(ANN, { input, unread: 'stdout' })
  assert.deepEqual(made, { code: 0, stdout: '', stderr: '' })
  assert.match((await todo(['user', 'list'])).stdout, /ann@example\.com/)
  assert.equal((await todo(['dance'], { unread: 'stderr' })).code, 64)
})

test('a command whose output cannot be written says that it was carried out all the same (1)', {
  skip: !existsSync('/dev/full') && 'this system has no /dev/full',
}, async (t) => {
  const { todo } = await installation(t)
  const { code, stderr } = await todo(ANN, { input, stdoutTo: '/dev/full' })
  assert.equal(
    stderr,
    'The command was carried out, but what it says could not be written: no space left on device. Make room on its disk.\n',
  )
  assert.equal(code, 1)
  assert.match((await todo(['user', 'list'])).stdout, /ann@example\.com/)
})

test('healthcheck tells by its exit code whether the server is ready', async (t) => {
  const server = await startServer(t)
  const variables = { PORT: new URL(server.url).port }
  assert.equal((await server.todo(['healthcheck'], { variables })).code, 0)
  assert.equal((await server.todo(['healthcheck'], { variables: { PORT: '1' } })).code, 1)
})
