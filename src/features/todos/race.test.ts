import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { freshDatabase, isPostgresql, type Person, type World, world } from '../../../test/world.ts'

const TODOS = '/api/v1/todos'
const WRITERS = 24
const TURNS = 50
/** Many at once. */
const VARIABLES = { DATABASE_POOL_SIZE: '20' }

/** Writers who add, tick, reopen, rename and delete the same few todos at once; gives what they were answered. */
async function hammer(ann: Person): Promise<ReadonlyMap<string, number>> {
  const ids: number[] = [(await ann.post(TODOS, { text: 'First' })).json().id]
  const tags = new Map<number, string>()
  const seen = new Map<string, number>()

  async function write(turn: number): Promise<void> {
    const id = ids[Math.floor(Math.random() * ids.length)] ?? 1
    const url = `${TODOS}/${id}`
    const match = { 'if-match': turn % 3 ? `"${1 + (turn % 4)}.1"` : (tags.get(id) ?? '"1.1"') }
    const several = { 'if-match': '"1.1", "2.1", "3.1"' }
    const completed = Math.random() < 0.5
    const [name, request] = [
      () => ['add', ann.post(TODOS, { text: `Todo ${turn}`, completed })] as const,
      () => ['tick', ann.patch(url, { completed })] as const,
      () => ['tick', ann.patch(url, { completed }, match)] as const,
      () => ['tick', ann.patch(url, { completed }, several)] as const,
      () => ['edit', ann.put(url, { text: `Edited ${turn}`, completed })] as const,
      () => ['rename', ann.patch(url, { text: `Renamed ${turn}` }, match)] as const,
      () => ['delete', ann.delete(url)] as const,
      () => ['delete', ann.delete(url, match)] as const,
    ][turn % 8]?.() ?? ['list', ann.get(TODOS)]
    const answer = await request
    if (answer.statusCode === 201) {
      ids.push(answer.json().id)
      // Few todos, so that those who write at once meet.
      if (ids.length > 4) ids.shift()
    }
    // Others still write to it.
    if (answer.statusCode === 204 && ids.length > 1) ids.splice(ids.indexOf(id), 1)
    if (answer.statusCode === 200) tags.set(id, String(answer.headers.etag))
    const outcome = `${name} ${answer.statusCode}`
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
  }

  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let turn = 0; turn < TURNS; turn++) await write(writer + turn)
    }),
  )
  return seen
}

const EXPECTED = ['add 201', 'tick 200', 'tick 404', 'tick 412', 'edit 200', 'delete 204']

async function assertCountsHold({ ann, db }: World, allowed: RegExp): Promise<void> {
  const seen = await hammer(ann)
  const outcomes = [...seen].map(([outcome, times]) => `${outcome}: ${times}`).join(', ')
  assert.ok(
    [...seen.keys()].every((outcome) => allowed.test(outcome)),
    outcomes,
  )
  for (const outcome of EXPECTED) assert.ok(seen.has(outcome), `no ${outcome}: ${outcomes}`)

  const rows = await db.selectFrom('todos').select('completed_at').execute()
  const open = rows.filter(({ completed_at }) => completed_at === null).length
  const total = async (query: string) =>
    Number((await ann.get(`${TODOS}?limit=1${query}`)).headers['x-total-count'])
  assert.deepEqual(
    [await total(''), await total('&completed=false'), await total('&completed=true')],
    [rows.length, open, rows.length - open],
  )
}

test('the total stays that of the todos, whoever writes to the same ones at once', async (t) => {
  await assertCountsHold(await world(t, VARIABLES), / (20[014]|404|412)$/)
})

/** A database whose transactions have the isolation `level` unless they say otherwise. */
async function worldAt(t: TestContext, level: string): Promise<World> {
  const { url, drop } = await freshDatabase()
  t.after(drop)
  const options = encodeURIComponent(
    `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`,
  )
  return world(t, { ...VARIABLES, DATABASE_URL: `${url}?options=${options}` })
}

const skip = !isPostgresql && 'SQLite has one isolation level'

for (const level of ['repeatable read', 'serializable']) {
  test(`so it does at ${level}, where who was overtaken comes again (503)`, { skip }, async (t) => {
    await assertCountsHold(await worldAt(t, level), / (20[014]|404|412|503)$/)
  })
}
