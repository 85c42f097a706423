import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type FragilePostgres, startFragilePostgres } from '../postgres.ts'
import { isPostgresql } from '../world.ts'
import { until } from '../server.ts'
import { directoryFor, isReady, startService } from './service.ts'
import { assertNothingLost, newcomer, writeLoad } from './writers.ts'

/** Enough that every writer is in the middle of something whenever a fault comes. */
const SOME = 150

async function ownPostgres(t: TestContext): Promise<FragilePostgres> {
  const server = await startFragilePostgres()
  t.after(() => server.stop())
  return server
}

/** The service under a write load, on a database of its own. */
async function underLoad(t: TestContext, variables: Record<string, string> = {}) {
  const postgres = isPostgresql ? await ownPostgres(t) : undefined
  const file = join(directoryFor(t), 'todo.db')
  const DATABASE_URL = postgres?.url ?? `sqlite:///${file}`
  const service = await startService(t, { DATABASE_URL, WEB_CONCURRENCY: '1', ...variables })
  const token = await newcomer(service.url, 'writer')
  const load = writeLoad(service.url, token)
  await load.progress(SOME)
  const report = () =>
    t.diagnostic(
      `${load.writes()} writes acknowledged, none lost; answers: ${[...load.statuses]
        .toSorted()
        .map(([status, count]) => `${status === 0 ? 'none' : status} × ${count}`)
        .join(', ')}`,
    )
  return { service, token, load, report, postgres, file }
}

test('kill -9 of the service, five times, loses no acknowledged write and doubles none', async (t) => {
  const { service, token, load, report } = await underLoad(t)
  for (let round = 0; round < 5; round++) {
    await service.kill('SIGKILL')
    await service.start()
    await load.progress(SOME)
  }
  await load.finish()
  await assertNothingLost(service.url, token, load)
  report()
})

const withoutProc = !existsSync('/proc/self/task') && 'the workers are looked up in /proc'

/** The processes that a process has started. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

test('kill -9 of one worker after the other, six times, loses nothing, and each is replaced', {
  skip: withoutProc,
}, async (t) => {
  const { service, token, load, report } = await underLoad(t, { WEB_CONCURRENCY: '2' })
  const supervisor = service.pid()
  for (let round = 0; round < 6; round++) {
    const workers = childrenOf(supervisor)
    const victim = workers[round % 2] ?? 0
    process.kill(victim, 'SIGKILL')
    await load.progress(SOME)
    await until(
      () => {
        const now = childrenOf(supervisor)
        return now.length === 2 && !now.includes(victim)
      },
      () => 'two workers again',
    )
  }
  await load.finish()
  await assertNothingLost(service.url, token, load)
  assert.equal(service.pid(), supervisor, 'it is the same supervisor')
  report()
})

test('kill -9 of the supervisor, three times, loses nothing, and leaves no worker behind', {
  skip: withoutProc,
}, async (t) => {
  const { service, token, load, report } = await underLoad(t, { WEB_CONCURRENCY: '2' })
  for (let round = 0; round < 3; round++) {
    const workers = childrenOf(service.pid())
    assert.equal(workers.length, 2)
    await service.kill('SIGKILL')
    await until(
      () => !workers.some((pid) => existsSync(`/proc/${pid}`)),
      () => 'the workers end as well',
    )
    await service.start()
    await until(
      () => childrenOf(service.pid()).length === 2,
      () => 'two workers',
    )
    await load.progress(SOME)
  }
  await load.finish()
  await assertNothingLost(service.url, token, load)
  report()
})

const skip = !isPostgresql && 'an embedded file has no server'

test('kill -9 of PostgreSQL, three times, loses no acknowledged write and doubles none', {
  skip,
}, async (t) => {
  const { service, token, load, report, postgres } = await underLoad(t)
  const { pid } = service
  const before = pid()
  for (let round = 0; round < 3; round++) {
    await postgres?.kill('SIGKILL')
    await until(
      async () => !(await isReady(service.url)),
      () => 'not ready without a database',
    )
    await postgres?.start()
    await until(
      () => isReady(service.url),
      () => 'ready again by itself',
    )
    await load.progress(SOME)
  }
  await load.finish()
  await assertNothingLost(service.url, token, load)
  assert.equal(pid(), before, 'it is the same process')
  report()
})

test('ten seconds without PostgreSQL are answered by 503, and it heals by itself', {
  skip,
}, async (t) => {
  const { service, token, load, report, postgres } = await underLoad(t)
  await postgres?.kill('SIGINT')
  const refused = load.statuses.get(503) ?? 0
  await delay(10_000)
  assert.equal(await isReady(service.url), false)
  assert.equal((await fetch(`${service.url}/health`)).status, 200)
  assert.ok((load.statuses.get(503) ?? 0) > refused, 'writes were refused meanwhile')
  await postgres?.start()
  await load.progress(SOME)
  await load.finish()
  await assertNothingLost(service.url, token, load)
  report()
})
