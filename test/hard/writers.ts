import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const PASSWORD = 'rain on tin roofs'
const TODOS = '/api/v1/todos'
const Todo = Type.Object({ id: Type.Integer(), text: Type.String(), completed: Type.Boolean() })
const Tokens = Type.Object({ access_token: Type.String() })

/** Signs somebody up and in; gives their access token. */
export async function newcomer(url: string, name: string): Promise<string> {
  const email = `${name}@example.com`
  const signup = await fetch(`${url}/api/v1/users/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD, fname: name, lname: 'Writer' }),
  })
  assert.equal(signup.status, 201, await signup.text())
  const answer = await fetch(`${url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: email, password: PASSWORD }),
  })
  assert.equal(answer.status, 200)
  return Value.Parse(Tokens, await answer.json()).access_token
}

/** What a todo must be, after what was acknowledged: undefined when it must be gone. */
type Expected = { text: string; completed: boolean } | undefined

export interface Tally {
  /** Writes that were acknowledged, by the id of their todo. */
  readonly acknowledged: ReadonlyMap<number, Expected>
  /** Texts that were sent with an idempotency key, again and again until acknowledged. */
  readonly keyed: ReadonlySet<string>
  /** How often each status came; 0 for an answer that never did. */
  readonly statuses: ReadonlyMap<number, number>
  writes(): number
}

export interface Load extends Tally {
  /** Waits until so many more writes were acknowledged. */
  progress(writes: number): Promise<void>
  /** Lets every writer finish what it is about, however often it must try. */
  finish(): Promise<void>
}

/** How long one request may take, and a writer may go without an answer that it can use. */
const REQUEST_TIMEOUT = 20_000
const PATIENCE = 60_000

/**
 * Writes without a pause: each writer makes a todo, by an idempotency key every other time, then
 * completes every third and deletes every fifth. What fails or is refused by a 503 is tried again;
 * a 503 must say when. Any other answer that is not a success fails `finish`.
 */
export function writeLoad(url: string, token: string, writers = 8): Load {
  const acknowledged = new Map<number, Expected>()
  const keyed = new Set<string>()
  const statuses = new Map<number, number>()
  let writes = 0
  let stopping = false

  async function request(method: string, path: string, body?: unknown, key?: string) {
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT),
      })
      const text = await answer.text()
      count(answer.status)
      if (answer.status === 503) {
        assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
        assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      }
      return { status: answer.status, text }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      // The process or the connection is gone; whether the write was done, nobody knows.
      count(0)
      return { status: 0, text: String(error) }
    }
  }
  const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1)

  /** Tries until there is an answer that settles it. */
  async function settled(...parameters: Parameters<typeof request>) {
    const deadline = Date.now() + PATIENCE
    for (;;) {
      const answer = await request(...parameters)
      if (answer.status !== 0 && answer.status !== 503) return answer
      if (Date.now() > deadline) throw new Error(`no answer for too long: ${answer.text}`)
      await delay(20)
    }
  }

  async function writer() {
    for (let turn = 0; !stopping; turn++) {
      const text = `Write ${randomUUID()}`
      const key = turn % 2 === 0 ? randomUUID() : undefined
      if (key) keyed.add(text)
      // Without a key a lost answer must not be tried again: the todo may be there.
      const answer = await (key ? settled : request)('POST', TODOS, { text }, key)
      if (!key && (answer.status === 0 || answer.status === 503)) {
        await delay(20)
        continue
      }
      assert.equal(answer.status, 201, answer.text)
      const { id } = Value.Parse(Todo, JSON.parse(answer.text))
      acknowledged.set(id, { text, completed: false })
      writes++
      if (turn % 3 === 0) {
        const changed = await settled('PATCH', `${TODOS}/${id}`, { completed: true })
        assert.equal(changed.status, 200, changed.text)
        acknowledged.set(id, { text, completed: true })
        writes++
      }
      if (turn % 5 === 0) {
        const removed = await settled('DELETE', `${TODOS}/${id}`)
        // 404: a try whose answer was lost had done it.
        assert.ok([204, 404].includes(removed.status), removed.text)
        acknowledged.set(id, undefined)
        writes++
      }
    }
  }

  const failures: unknown[] = []
  const all = Promise.all(
    Array.from({ length: writers }, () => writer().catch((error) => failures.push(error))),
  )
  const failIfAny = () => {
    if (failures.length > 0) throw failures[0]
  }
  return {
    acknowledged,
    keyed,
    statuses,
    writes: () => writes,
    async progress(more) {
      const goal = writes + more
      const deadline = Date.now() + PATIENCE
      while (writes < goal) {
        failIfAny()
        if (Date.now() > deadline) throw new Error(`stuck at ${writes} of ${goal} writes`)
        await delay(20)
      }
    },
    async finish() {
      stopping = true
      await all
      failIfAny()
    },
  }
}

/** Fails unless every acknowledged write is there, by its id, and no keyed one is there twice. */
export async function assertNothingLost(url: string, token: string, load: Tally): Promise<void> {
  const there = await listAll(url, token)
  assert.ok(load.acknowledged.size > 0, 'something was written')
  for (const [id, expected] of load.acknowledged) {
    const found = there.get(id)
    if (!expected) assert.equal(found, undefined, `todo ${id} was deleted, and is there`)
    else assert.deepEqual(found, { id, ...expected }, `todo ${id} is not what was acknowledged`)
    // One by one too: the list and the single todo are different queries.
    const answer = await fetch(`${url}${TODOS}/${id}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    await answer.arrayBuffer()
    assert.equal(answer.status, expected ? 200 : 404, `todo ${id}`)
  }
  const texts = [...there.values()].map(({ text }) => text)
  const counts = Map.groupBy(texts, (text) => text)
  for (const text of load.keyed) {
    assert.ok((counts.get(text)?.length ?? 0) <= 1, `${text} is there more than once`)
  }
}

async function listAll(url: string, token: string) {
  const there = new Map<number, { id: number; text: string; completed: boolean }>()
  let next: string | undefined = `${TODOS}?limit=100`
  while (next !== undefined) {
    const answer: Response = await fetch(`${url}${next}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(answer.status, 200)
    for (const { id, text, completed } of Value.Parse(Type.Array(Todo), await answer.json())) {
      there.set(id, { id, text, completed })
    }
    next = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return there
}
