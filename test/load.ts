import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { PASSWORD } from './world.ts'

const TODOS = '/api/v1/todos'
const PATIENCE = 60_000

export interface Load {
  /** What became of the requests that were not answered as they should. */
  readonly failed: () => readonly string[]
  /** Waits until so many more were answered. */
  more(count: number): Promise<void>
  /** Lets each client finish the request that it is about. */
  stop(): Promise<void>
  /** Fails unless every todo that was acknowledged is there, and no other. */
  assertKept(): Promise<void>
}

/** Signs somebody up and in; gives the header that says who they are. */
export async function signUp(url: string, email: string): Promise<Record<string, string>> {
  const signup = await fetch(`${url}/api/v1/users/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD, fname: 'Ann', lname: 'Archer' }),
  })
  assert.equal(signup.status, 201, await signup.text())
  const answer = await fetch(`${url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: email, password: PASSWORD }),
  })
  const { access_token } = JSON.parse(await answer.text())
  return { authorization: `Bearer ${access_token}` }
}

/**
 * Reads and writes todos without a pause: some clients each on a connection that they keep, some
 * that connect anew for every request. None of them tries anything again.
 */
export async function load(url: string): Promise<Load> {
  const headers = await signUp(url, 'load@example.com')
  const failed: string[] = []
  let answered = 0
  let created = 0
  let stopping = false

  const client = async (keepAlive: boolean) => {
    const agent = new Agent({ keepAlive, maxSockets: 1 })
    for (let turn = 0; !stopping; turn++) {
      const writes = turn % 3 === 0
      try {
        const status = await send(new URL(TODOS, url), headers, agent, writes)
        if (status === 201) created++
        if (status === (writes ? 201 : 200)) answered++
        else failed.push(`status ${status}`)
      } catch (error) {
        failed.push(String(error))
        await delay(5)
      }
    }
    agent.destroy()
  }
  const all = Promise.all([true, false, true, false, true, false].map(client))
  return {
    failed: () => failed,
    async more(count) {
      const goal = answered + count
      const deadline = Date.now() + PATIENCE
      while (answered < goal) {
        if (Date.now() > deadline) throw new Error(`stuck at ${answered} answers of ${goal}`)
        await delay(10)
      }
    },
    async stop() {
      stopping = true
      await all
    },
    async assertKept() {
      const answer = await fetch(`${url}${TODOS}`, { headers })
      assert.equal(answer.headers.get('x-total-count'), String(created))
    },
  }
}

/** Gives the status of the answer, once all of it has come. */
function send(
  url: URL,
  headers: Record<string, string>,
  agent: Agent,
  writes: boolean,
): Promise<number> {
  const body = writes ? JSON.stringify({ text: 'Under load' }) : undefined
  const options = {
    agent,
    method: body ? 'POST' : 'GET',
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    timeout: PATIENCE,
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (answer) => {
      answer.on('error', reject)
      answer.on('end', () => resolve(answer.statusCode ?? 0))
      answer.resume()
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', reject)
    sent.end(body)
  })
}
