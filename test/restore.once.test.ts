import assert from 'node:assert/strict'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { emails, onSqlite, succeeded } from './command.ts'
import { startServer } from './server.ts'

/** Where a restore and a backup put what they made, and what they refuse to take the place of. */

const ANN = ['user', 'create', 'ann@example.com', '--fname', 'Ann', '--lname', 'Archer']
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
  for (const [command, file, ...force] of [
    ['restore', backup],
    ['restore', backup, '--force'],
  ] as const) {
    const { code, stderr } = await todo([command, file, ...force])
    assert.equal(code, 1)
    assert.match(stderr, /todo\.db-wal is there, but not .*todo\.db\. .*Stop the service, /)
    assert.doesNotMatch(stderr, /--force/)
  }
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
  assert.deepEqual(await emails(todo), DEMO)
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
