import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { signUp } from './load.ts'
import { startServer } from './server.ts'
import { may } from './small-disk.ts'
import { PASSWORD } from './world.ts'

/** Runs its arguments where only the folder from which it was called may be written. */
const READ_ONLY = `
  set -e
  data=$PWD
  for folder in / /tmp /var/tmp; do mount --bind $folder $folder; done
  mount --bind "$data" "$data"
  for folder in / /tmp /var/tmp; do mount -o remount,bind,ro $folder; done
  cd /
  export DATABASE_URL="sqlite:///$data/todo.db"
  exec "$@"`

const mayMount = may('unshare', '--mount', 'true')

test('with a root file system that is read-only, an account with many todos is erased', {
  skip: !mayMount && 'only root may mount',
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'todo-app-'))
  t.after(() => rm(folder, { recursive: true }))
  const main = join(folder, 'main.mjs')
  const built = resolve(import.meta.dirname, '../dist/main.js')
  const words = ['unshare', '--mount', 'sh', '-c', READ_ONLY, 'sh', process.execPath, built]
  await writeFile(main, `process.execve('/usr/bin/env', ${JSON.stringify(['env', ...words])})`)
  const variables = { SECRET_KEY: 'a key that is of no use elsewhere' }
  const { url } = await startServer(t, variables, main)
  const authorization = await signUp(url, 'ann@example.com')
  const send = (method: string, path: string, body: object) =>
    fetch(`${url}/api/v1${path}`, {
      method,
      headers: { ...authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  for (let count = 0; count < 200; count++) {
    assert.equal((await send('POST', '/todos', { text: `Todo ${count}` })).status, 201)
  }
  const answer = await send('DELETE', '/auth/me', { password: PASSWORD })
  assert.equal(answer.status, 204, await answer.text())
})
