import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD, type Person, world } from '../../../test/world.ts'

const TODOS = '/api/v1/todos'

async function oneTodo(person: Person): Promise<{ url: string; tag: string }> {
  const answer = await person.post(TODOS, { text: 'First' })
  return { url: String(answer.headers.location), tag: String(answer.headers.etag) }
}

test('the entity tag is strong, and another after every change', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  assert.match(tag, /^"[^"]+"$/)
  assert.equal((await ann.get(url)).headers.etag, tag)
  const changed = await ann.patch(url, { completed: true })
  const replaced = await ann.put(url, { text: 'Second' })
  const tags = [tag, changed.headers.etag, replaced.headers.etag]
  assert.equal(new Set(tags).size, 3)
  assert.equal((await ann.get(url)).headers.etag, replaced.headers.etag)
})

test('If-None-Match: * lets no change through, since the todo is there (412)', async (t) => {
  const { ann } = await world(t)
  const { url } = await oneTodo(ann)
  const before = await ann.get(url)
  const absent = { 'if-none-match': '*' }
  assert.equal((await ann.put(url, { text: 'Made' }, absent)).statusCode, 412)
  assert.equal((await ann.patch(url, { text: 'Made' }, absent)).statusCode, 412)
  assert.equal((await ann.delete(url, absent)).statusCode, 412)
  assert.deepEqual((await ann.get(url)).json(), before.json())
  assert.equal((await ann.put(`${TODOS}/999999`, { text: 'Made' }, absent)).statusCode, 404)
})

test('If-None-Match lets no change through for a version that it names (412)', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  const before = (await ann.get(url)).json()
  const refused: Record<string, string>[] = [
    { 'if-none-match': tag },
    { 'if-none-match': `W/${tag}` },
    { 'if-none-match': `"7.1", ${tag}` },
    { 'if-none-match': tag, 'if-match': tag },
    { 'if-none-match': tag, 'if-match': '*' },
    { 'if-none-match': '"7.1"', 'if-match': '"7.1"' },
  ]
  for (const headers of refused) {
    for (const answer of [
      await ann.put(url, { text: 'Overtaken' }, headers),
      await ann.patch(url, { completed: true }, headers),
      await ann.patch(url, {}, headers),
      await ann.delete(url, headers),
    ]) {
      assert.equal(answer.statusCode, 412, JSON.stringify(headers))
    }
  }
  assert.deepEqual((await ann.get(url)).json(), before)

  const others = { 'if-none-match': 'nonsense, "7.1"' }
  const missing = `${TODOS}/999999`
  assert.equal((await ann.patch(missing, { text: 'Nobody' }, others)).statusCode, 404)
  assert.equal((await ann.patch(url, {}, others)).statusCode, 200)
  const changed = await ann.patch(url, { completed: true }, { ...others, 'if-match': tag })
  assert.equal(changed.statusCode, 200)
  assert.equal((await ann.put(url, { text: 'Second' }, { 'if-none-match': tag })).statusCode, 200)
  assert.equal((await ann.delete(url, others)).statusCode, 204)
})

test('If-Match lets a change through for the current version only (412)', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  const match = (value: string) => ({ 'if-match': value })
  const changes = (value: string) => [
    ann.put(url, { text: 'Overtaken' }, match(value)),
    ann.patch(url, { text: 'Overtaken' }, match(value)),
    ann.delete(url, match(value)),
  ]
  for (const value of [
    '"7.1"',
    `W/${tag}`,
    tag.replaceAll('"', ''),
    '""',
    'nonsense',
    ',',
    '"-1.1"',
    `"${'9'.repeat(400)}.1"`,
  ]) {
    for (const answer of await Promise.all(changes(value))) {
      assert.equal(answer.statusCode, 412, value)
    }
  }
  assert.equal((await ann.get(url)).json().text, 'First')
  const many = `${'"9.9",'.repeat(150)}${tag}`
  assert.equal((await ann.get(url, match(many))).statusCode, 200)
  assert.equal((await ann.patch(url, { text: 'Second' }, match(many))).statusCode, 200)
  assert.equal((await ann.patch(url, { text: 'Third' }, match(tag))).statusCode, 412)
  assert.equal((await ann.patch(url, { text: 'Third' }, match('*'))).statusCode, 200)
  assert.equal((await ann.delete(url, match('*'))).statusCode, 204)
  assert.equal((await ann.delete(url, match('*'))).statusCode, 404)
})

test('what has no version is not changed under a condition that asks for one (412)', async (t) => {
  const { ann } = await world(t)
  const names = { fname: 'Lost' }
  const conditions: Record<string, string>[] = [{ 'if-match': '"1.1"' }, { 'if-none-match': '*' }]
  for (const headers of conditions) {
    const answers = [
      await ann.patch('/auth/me', names, headers),
      await ann.delete('/auth/me', headers, { password: PASSWORD }),
      await ann.post(TODOS, { text: 'Guarded' }, headers),
    ]
    for (const { statusCode, body } of answers) {
      assert.equal(statusCode, 412)
      assert.match(body, /Leave out If-Match and If-None-Match/)
    }
  }
  assert.equal((await ann.patch('/auth/me', { fname: 1 }, { 'if-match': '"1.1"' })).statusCode, 422)
  assert.equal((await ann.get(TODOS)).headers['x-total-count'], '0')
  const met = { 'if-match': '*', 'if-none-match': '"1.1"' }
  assert.equal((await ann.patch('/auth/me', names, met)).json().fname, 'Lost')
})

test('of many writers with the same version exactly one wins', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      ann.patch(url, { text: `Writer ${index}` }, { 'if-match': tag }),
    ),
  )
  const winners = answers.filter(({ statusCode }) => statusCode === 200)
  assert.equal(winners.length, 1)
  assert.ok(answers.every(({ statusCode }) => statusCode === 200 || statusCode === 412))
  assert.equal((await ann.get(url)).json().text, winners[0]?.json().text)
})

test('If-None-Match answers 304 without a body to who has this version', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  for (const value of [tag, `W/${tag}`, `"0.0", ${tag}`, '*']) {
    const answer = await ann.get(url, { 'if-none-match': value })
    assert.deepEqual([answer.statusCode, answer.body, answer.headers.etag], [304, '', tag], value)
    assert.equal(answer.headers['cache-control'], 'private, no-cache')
  }
  await ann.patch(url, { completed: true })
  assert.equal((await ann.get(url, { 'if-none-match': tag })).statusCode, 200)
})

test('If-Match lets nothing be read but the very answer that it names (412)', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  const read = (method: 'GET' | 'HEAD', headers: Record<string, string>) =>
    ann.send(url, { method, headers })
  for (const method of ['GET', 'HEAD'] as const) {
    for (const value of [tag, `"9.9", ${tag}`, '*']) {
      const answer = await read(method, { 'if-match': value })
      assert.deepEqual([answer.statusCode, answer.headers.etag], [200, tag], value)
    }
    for (const value of ['"9.9"', `W/${tag}`, 'nonsense', '', tag.replace('.1', '.2')]) {
      assert.equal((await read(method, { 'if-match': value })).statusCode, 412, value)
    }
    // If-Match is looked at first (RFC 9110 §13.2.2).
    const both = { 'if-match': '"9.9"', 'if-none-match': tag }
    assert.equal((await read(method, both)).statusCode, 412)
    assert.equal((await read(method, { ...both, 'if-match': tag })).statusCode, 304)
  }
  assert.equal((await ann.get(`${TODOS}/999999`, { 'if-match': tag })).statusCode, 404)
})

test('HEAD tells of a todo as GET does, and a 304 says no length', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  const read = await ann.get(url)
  const head = await ann.send(url, { method: 'HEAD' })
  assert.deepEqual([head.statusCode, head.body], [200, ''])
  assert.equal(head.headers['content-length'], String(Buffer.byteLength(read.body)))
  const kept = await ann.send(url, { method: 'HEAD', headers: { 'if-none-match': tag } })
  assert.deepEqual([kept.statusCode, kept.headers.etag], [304, tag])
  assert.ok(!('content-length' in kept.headers))
})

test('a renamed owner makes another answer, but not another version of the todo', async (t) => {
  const { ann } = await world(t)
  const { url, tag } = await oneTodo(ann)
  assert.equal((await ann.patch('/auth/me', { fname: 'Anna' })).statusCode, 200)
  const read = await ann.get(url, { 'if-none-match': tag })
  assert.deepEqual([read.statusCode, read.json().owner.fname], [200, 'Anna'])
  assert.notEqual(read.headers.etag, tag)
  assert.equal((await ann.patch(url, { completed: true }, { 'if-match': tag })).statusCode, 200)
})
