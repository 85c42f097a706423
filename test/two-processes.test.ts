import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signUp } from './load.ts'
import { twoProcesses } from './two-processes.ts'
import { PASSWORD } from './world.ts'

const TODOS = '/api/v1/todos'
const JSON_TYPE = { 'content-type': 'application/json' }
const ROUNDS = 10

type Answers = Array<{
  status: number
  retryAfter: string | null
  body: { id: number; access_token: string }
}>
const withStatus = (answers: Answers, status: number) =>
  answers.filter((answer) => answer.status === status)
const statuses = (answers: Answers) => answers.map(({ status }) => status).join(' ')

test('two processes that start at once on a database that is new both serve', async (t) => {
  for (let round = 0; round < 3; round++) {
    const { here, there } = await twoProcesses(t)
    for (const url of [here, there]) assert.equal((await fetch(`${url}/ready`)).status, 200)
  }
})

test('of writers in two processes with one version of a todo exactly one wins, the rest get 412', async (t) => {
  const { here, atOnce } = await twoProcesses(t)
  const person = await signUp(here, 'ann@example.com')
  for (let round = 0; round < ROUNDS; round++) {
    const body = JSON.stringify({ text: 'First' })
    const made = await fetch(here + TODOS, {
      method: 'POST',
      headers: { ...person, ...JSON_TYPE },
      body,
    })
    const headers = { ...person, ...JSON_TYPE, 'if-match': made.headers.get('etag') ?? '' }
    const path = made.headers.get('location') ?? ''
    const answers = await atOnce(path, (number) => ({
      method: 'PATCH',
      headers,
      body: JSON.stringify({ text: `Writer ${number}` }),
    }))
    assert.equal(withStatus(answers, 200).length, 1, statuses(answers))
    assert.equal(withStatus(answers, 412).length, 7, statuses(answers))
  }
})

test('one Idempotency-Key sent to two processes at once makes one todo', async (t) => {
  const { here, atOnce } = await twoProcesses(t)
  const person = await signUp(here, 'ann@example.com')
  for (let round = 0; round < ROUNDS; round++) {
    const headers = { ...person, ...JSON_TYPE, 'idempotency-key': `round-${round}` }
    const body = JSON.stringify({ text: `Round ${round}` })
    const answers = await atOnce(TODOS, () => ({ method: 'POST', headers, body }))
    const ids = new Set(withStatus(answers, 201).map((answer) => answer.body.id))
    assert.equal(ids.size, 1, statuses(answers))
    assert.ok(
      answers.every(({ status }) => status === 201 || status === 409),
      statuses(answers),
    )
  }
  const list = await fetch(here + TODOS, { headers: person })
  assert.equal(list.headers.get('x-total-count'), String(ROUNDS))
})

test('one e-mail address signed up at two processes at once makes one account (201, else 409)', async (t) => {
  const { atOnce } = await twoProcesses(t)
  for (let round = 0; round < 3; round++) {
    const spellings = [`ann${round}@example.com`, `ANN${round}@example.com`]
    const answers = await atOnce('/api/v1/users/signup', (number) => ({
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({
        email: spellings[number % 2],
        password: PASSWORD,
        fname: 'Ann',
        lname: 'Archer',
      }),
    }))
    assert.equal(withStatus(answers, 201).length, 1, statuses(answers))
    assert.equal(withStatus(answers, 409).length, 7, statuses(answers))
  }
})

test('one refresh token traded at two processes at once gives one pair, and ends the session', async (t) => {
  const { here, atOnce } = await twoProcesses(t)
  await signUp(here, 'ann@example.com')
  for (let round = 0; round < 3; round++) {
    const form = { username: 'ann@example.com', password: PASSWORD }
    const signIn = await fetch(`${here}/auth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    })
    const { refresh_token } = JSON.parse(await signIn.text())
    const answers = await atOnce('/auth/token', () => ({
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token }),
    }))
    assert.equal(withStatus(answers, 200).length, 1, statuses(answers))
    // One that waited too long for its turn may hear that the server is busy.
    const refused = [...withStatus(answers, 401), ...withStatus(answers, 503)]
    assert.equal(refused.length, 7, statuses(answers))
    assert.ok(withStatus(answers, 401).length > 0, statuses(answers))
    const authorization = `Bearer ${withStatus(answers, 200)[0]?.body.access_token}`
    const me = await fetch(`${here}/auth/me`, { headers: { authorization } })
    assert.equal(me.status, 401, 'a spent token came again, so the session is over (RFC 9700)')
  }
})

test('right passwords at two processes at once are let in, or told to come again in a second (429)', async (t) => {
  const { here, atOnce } = await twoProcesses(t, { SIGN_IN_FAILURES: '3' })
  await signUp(here, 'ann@example.com')
  const form = { username: 'ann@example.com', password: PASSWORD }
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await atOnce('/auth/token', () => ({
      method: 'POST',
      body: new URLSearchParams(form),
    }))
    const refused = withStatus(answers, 429)
    assert.equal(withStatus(answers, 200).length + refused.length, 8, statuses(answers))
    for (const { retryAfter } of refused) assert.equal(retryAfter, '1')
  }
})

test('wrong passwords at two processes at once do not get past the limit (429)', async (t) => {
  const { here, atOnce } = await twoProcesses(t, { SIGN_IN_FAILURES: '3' })
  for (let round = 0; round < 3; round++) {
    const email = `ann${round}@example.com`
    await signUp(here, email)
    const guess = (password: string) => ({
      method: 'POST',
      body: new URLSearchParams({ username: email, password }),
    })
    const answers = await atOnce('/auth/token', (number) => guess(`wrong guess ${number}`))
    assert.equal(withStatus(answers, 401).length, 3, statuses(answers))
    assert.equal(withStatus(answers, 429).length, 5, statuses(answers))
    const late = await fetch(`${here}/auth/token`, guess(PASSWORD))
    assert.equal(late.status, 429)
    assert.ok(Number(late.headers.get('retry-after')) > 60)
  }
})

test('an account erased in one process refuses what runs in the other, and leaves nothing', async (t) => {
  const { here, atOnce } = await twoProcesses(t)
  for (let round = 0; round < 3; round++) {
    const person = await signUp(here, `ann${round}@example.com`)
    const headers = { ...person, ...JSON_TYPE }
    const answers = await atOnce('/auth/me', (number) =>
      number === 3
        ? { method: 'DELETE', headers, body: JSON.stringify({ password: PASSWORD }) }
        : { method: 'PATCH', headers, body: JSON.stringify({ fname: `Ann ${number}` }) },
    )
    assert.equal(withStatus(answers, 204).length, 1, statuses(answers))
    assert.ok(
      answers.every(({ status }) => [200, 204, 401, 404, 409].includes(status)),
      statuses(answers),
    )
    assert.equal((await fetch(`${here}/auth/me`, { headers })).status, 401)
  }
})

test('writes of two processes wait for each other, and all of them are there', async (t) => {
  const { here, atOnce } = await twoProcesses(t)
  const person = await signUp(here, 'ann@example.com')
  const headers = { ...person, ...JSON_TYPE }
  for (let round = 0; round < 25; round++) {
    const answers = await atOnce(TODOS, (number) => ({
      method: 'POST',
      headers,
      body: JSON.stringify({ text: `${round} ${number}` }),
    }))
    assert.equal(withStatus(answers, 201).length, 8, statuses(answers))
  }
  const list = await fetch(here + TODOS, { headers: person })
  assert.equal(list.headers.get('x-total-count'), '200')
})
