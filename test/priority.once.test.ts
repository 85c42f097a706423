// Who is first where a hash and a request want the same processor.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { test } from 'node:test'
import { startServer } from './server.ts'

/** The priorities of a process's threads of this name. */
const prioritiesOf = (pid: number, name: string): number[] =>
  readdirSync(`/proc/${pid}/task`)
    .filter((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim() === name)
    .map((thread) => getPriority(Number(thread)))

test('the threads that hash passwords yield to the one that answers', {
  skip: process.platform !== 'linux' && 'only on Linux a thread has a priority of its own',
}, async (t) => {
  const { url, pid } = await startServer(t)
  const response = await fetch(`${url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', username: 'x@example.com', password: 'y' }),
  })
  assert.equal(response.status, 401)
  const own = getPriority(pid)
  const hashing = prioritiesOf(pid, 'libuv-worker')
  assert.ok(hashing.length > 0)
  assert.ok(
    hashing.every((priority) => priority > own),
    `${hashing} and ${own}`,
  )
})
