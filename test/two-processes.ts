import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startServer } from './server.ts'
import { freshDatabase, isPostgresql } from './world.ts'

/** Two processes that share nothing but a database and the key. */
export async function twoProcesses(t: TestContext, more: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'todo-app-'))
  const { url, drop } = await freshDatabase()
  const variables = {
    DATABASE_URL: isPostgresql ? url : `sqlite:///${join(directory, 'todo.db')}`,
    SECRET_KEY: randomBytes(32).toString('hex'),
    WEB_CONCURRENCY: '1',
    DRAIN_DELAY: '0',
    ...more,
  }
  const servers = await Promise.all([startServer(t, variables), startServer(t, variables)])
  t.after(async () => {
    await drop()
    await rm(directory, { recursive: true, force: true })
  })
  const [here, there] = servers.map((server) => server.url)
  if (!here || !there) throw new Error('two were started')
  return {
    here,
    there,
    servers,
    /** Sends the same to each of the two, four times at once, and gives all answers. */
    atOnce: async (path: string, options: (number: number) => RequestInit) =>
      Promise.all(
        Array.from({ length: 8 }, async (_, number) => {
          const answer = await fetch(`${number % 2 ? here : there}${path}`, options(number))
          const text = await answer.text()
          const retryAfter = answer.headers.get('retry-after')
          return { status: answer.status, retryAfter, body: text && JSON.parse(text) }
        }),
      ),
  }
}
