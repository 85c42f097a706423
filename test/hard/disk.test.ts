import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fill, may, smallDisk } from '../small-disk.ts'
import { isPostgresql } from '../world.ts'
import { directoryFor, startService } from './service.ts'
import { assertNothingLost, newcomer, writeLoad } from './writers.ts'

const SOME = 150
const TODOS = '/api/v1/todos'

async function underLoad(t: TestContext, directory: string) {
  const file = join(directory, 'todo.db')
  const service = await startService(t, { DATABASE_URL: `sqlite:///${file}` })
  const token = await newcomer(service.url, 'writer')
  const load = writeLoad(service.url, token)
  await load.progress(SOME)
  const pid = service.pid()

  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return {
    service,
    load,
    file,
    reads: async () => (await fetch(`${service.url}${TODOS}`, { headers })).status,
    /** While nothing can be written, each write must be refused by a 503 that says when. */
    async refusesWrites() {
      for (let round = 0; round < 5; round++) {
        const body = JSON.stringify({ text: 'x'.repeat(2000) })
        const answer = await fetch(`${service.url}${TODOS}`, { method: 'POST', headers, body })
        assert.equal(answer.status, 503, await answer.text())
        assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
      }
    },
    async heals() {
      await load.progress(SOME)
      await load.finish()
      await assertNothingLost(service.url, token, load)
      assert.equal(service.pid(), pid, 'it is the same process')
      const integrity = new DatabaseSync(file).prepare('pragma integrity_check').all()
      assert.deepEqual(integrity.map(Object.values), [['ok']])
      const answers = [...load.statuses].toSorted().map((each) => each.join(' × '))
      t.diagnostic(
        `${load.writes()} writes acknowledged, none lost; answers: ${answers.join(', ')}`,
      )
    },
  }
}

const skip = isPostgresql && 'these are faults of an embedded file'

test('a full disk is a 503 for writes, reads go on, and it heals when there is room', {
  skip,
}, async (t) => {
  const disk = smallDisk(t)
  if (!disk) return t.skip('no disk may be mounted here')
  const { load, reads, refusesWrites, heals } = await underLoad(t, disk)
  for (let round = 0; round < 3; round++) {
    fill(join(disk, 'ballast'))
    await delay(1_000)
    await refusesWrites()
    assert.equal(await reads(), 200)
    rmSync(join(disk, 'ballast'))
    await load.progress(SOME)
  }
  await heals()
})

test('a read-only database file is a 503 for writes, and it heals when it may be written', {
  skip,
}, async (t) => {
  // The permission bits do not bind root, nor a file that is open already; this attribute does. The
  // `-shm` file is memory that SQLite's processes share: Linux ends who writes to one made immutable.
  const immutable = (sign: '+' | '-', directory: string) => {
    const names = readdirSync(directory).filter((name) => !name.endsWith('-shm'))
    return may('chattr', `${sign}i`, ...names.map((name) => join(directory, name)))
  }
  const directory = directoryFor(t, (directory) => immutable('-', directory))
  const here = await underLoad(t, directory)
  if (!immutable('+', directory)) return t.skip('no file may be made immutable here')
  await delay(1_000)
  await here.refusesWrites()
  assert.equal(await here.reads(), 200)
  immutable('-', directory)
  await here.heals()
})

test('a database that another process locks for ten seconds is a 503 for writes, and it heals', {
  skip,
}, async (t) => {
  const { load, file, reads, refusesWrites, heals } = await underLoad(t, directoryFor(t))
  const other = new DatabaseSync(file, { timeout: 5_000 })
  other.exec('begin immediate')
  const from = Date.now()
  await refusesWrites()
  assert.equal(await reads(), 200)
  await delay(Math.max(0, from + 10_000 - Date.now()))
  other.exec('rollback')
  other.close()
  assert.ok((load.statuses.get(503) ?? 0) > 0)
  await heals()
})
