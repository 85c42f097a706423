// Reads of many requests share a transaction on SQLite (src/db/sqlite-reads.ts); none may miss what was acknowledged
// before its request was sent, at whichever process, and none that is brief waits for all that take long.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { signUp } from './load.ts'
import { startServer } from './server.ts'
import { twoProcesses } from './two-processes.ts'

const TODOS = '/api/v1/todos'
const READERS = 12
const ROUNDS = 200
/** Which take a quick machine more than the 20 ms until something is added. */
const SEARCHES = 8

type Person = Record<string, string>

async function add(url: string, person: Person, text: string): Promise<string> {
  const answer = await fetch(url + TODOS, {
    method: 'POST',
    headers: { ...person, 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  })
  assert.equal(answer.status, 201, await answer.text())
  return answer.headers.get('location') ?? ''
}

test('what one process acknowledged is there for who asks another one next, however busy it is', async (t) => {
  const { here, there } = await twoProcesses(t)
  const person = await signUp(here, 'ann@example.com')
  let isOver = false
  const readers = Array.from({ length: READERS }, async () => {
    while (!isOver) await (await fetch(there + TODOS, { headers: person })).text()
  })
  const missed: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const path = await add(here, person, `Round ${round}`)
    const answer = await fetch(there + path, { headers: person })
    await answer.text()
    if (answer.status !== 200) missed.push(path)
  }
  isOver = true
  await Promise.all(readers)
  assert.deepEqual(missed, [])
})

const reading = (path: string, person: Person): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${person.authorization}\r\n\r\n`

/** A connection on which a first request was answered. */
async function connected(url: string, person: Person): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(reading('/health', person))
  await once(socket, 'data')
  return socket
}

/** So many that a search takes long. */
async function addLongTexts(url: string, person: Person): Promise<void> {
  for (let count = 0; count < 120; count++) {
    await Promise.all(
      Array.from({ length: 25 }, () => add(url, person, 'a long text '.repeat(160))),
    )
  }
}

test('so it is for who sends the next request without waiting for an answer to the last', async (t) => {
  const { here, there, servers } = await twoProcesses(t)
  const person = await signUp(here, 'ann@example.com')
  await addLongTexts(here, person)
  for (let round = 0; round < 5; round++) {
    const searching = await Promise.all(
      Array.from({ length: SEARCHES }, () => connected(there, person)),
    )
    const fast = await connected(there, person)
    const answers = text(fast)
    const pid = Number(servers[1]?.logged('request_id').at(-1)?.pid)
    // All arrive together. Searching keeps the process from what comes behind the last one, for long.
    process.kill(pid, 'SIGSTOP')
    for (const each of searching) each.write(reading(`${TODOS}?q=missing`, person))
    fast.write(reading(`${TODOS}?limit=1`, person))
    await delay(50)
    process.kill(pid, 'SIGCONT')
    await delay(20)
    const path = await add(here, person, 'Just added')
    fast.end(reading(path, person))
    const statuses = (await answers).match(/HTTP\/1\.1 \d+/g)
    for (const each of searching) each.destroy()
    assert.deepEqual(statuses, ['HTTP/1.1 200', 'HTTP/1.1 200'])
  }
})

test('who reads little does not wait for all the searches that came before', async (t) => {
  const server = await startServer(t)
  const { url } = server
  const person = await signUp(url, 'ann@example.com')
  await addLongTexts(url, person)
  const searching = await Promise.all(
    Array.from({ length: SEARCHES }, () => connected(url, person)),
  )
  const fast = await connected(url, person)
  const pid = Number(server.logged('request_id').at(-1)?.pid)
  const answered: string[] = []
  const answers = [...searching, fast].map(async (socket) => {
    await once(socket, 'data')
    answered.push(socket === fast ? 'list' : 'search')
    socket.destroy()
  })
  process.kill(pid, 'SIGSTOP')
  for (const each of searching) each.write(reading(`${TODOS}?q=missing`, person))
  await delay(50)
  fast.write(reading(TODOS, person))
  await delay(50)
  process.kill(pid, 'SIGCONT')
  await Promise.all(answers)
  assert.notEqual(answered.at(-1), 'list', answered.join(', '))
})
