import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ANN, type Installation, onSqlite } from './command.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const INTERRUPT = '\x03'
const END_OF_INPUT = '\x04'
const CREATE = ['user', 'create', 'bob@example.com']

const isUtilLinux = /util-linux/.test(
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '',
)
const skip = !isUtilLinux && 'this machine has no `script` of util-linux, which makes terminals'

/** Runs `todo …` at a terminal, and types each answer when its prompt is there. Gives what is seen, and the exit code. */
async function atTerminal(
  t: TestContext,
  { directory, variables }: Installation,
  args: readonly string[],
  answers: ReadonlyArray<readonly [prompt: string, keys: string]>,
) {
  const line = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    cwd: directory,
    env: { PATH: process.env.PATH, TERM: 'dumb', ...variables },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const left = [...answers]
  let seen = ''
  let unanswered = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    seen += chunk
    unanswered += chunk
    const [next] = left
    if (!next || !unanswered.includes(next[0])) return
    left.shift()
    unanswered = ''
    child.stdin.write(next[1])
  })
  const [code] = await once(child, 'close')
  assert.deepEqual(left, [])
  return { seen, code }
}

test('Ctrl+C at a question or a password ends quietly, on a new line (130)', {
  skip,
}, async (t) => {
  const place = await onSqlite(t)
  await place.todo(ANN, { input: 'rain on tin roofs' })
  const asked = await atTerminal(t, place, CREATE, [['First name: ', `B${INTERRUPT}`]])
  assert.match(asked.seen, /First name: [^\n]*B\r\n$/)
  assert.equal(asked.code, 130)
  const password = ['user', 'password', 'ann@example.com']
  const hidden = await atTerminal(t, place, password, [['Password: ', `snow${INTERRUPT}`]])
  assert.deepEqual(hidden, { seen: 'Password: \r\n', code: 130 })
})

test('the end of the input at a question or a password is a sentence (1)', { skip }, async (t) => {
  const place = await onSqlite(t)
  const sentence = 'The input ended before the question was answered.\r\n'
  const asked = await atTerminal(t, place, CREATE, [['First name: ', END_OF_INPUT]])
  assert.ok(asked.seen.endsWith(`\r\n${sentence}`), asked.seen)
  assert.equal(asked.code, 1)
  const named = [...CREATE, '--fname', 'Bob', '--lname', 'Baker']
  const hidden = await atTerminal(t, place, named, [['Password: ', END_OF_INPUT]])
  assert.deepEqual(hidden, { seen: `Password: \r\n${sentence}`, code: 1 })
})

test('names and the password are asked for at a terminal, which does not show it', {
  skip,
}, async (t) => {
  const place = await onSqlite(t)
  const { seen, code } = await atTerminal(t, place, CREATE, [
    ['First name: ', 'Bob\r'],
    ['Last name: ', 'Baker\r'],
    ['Password: ', 'rain on tin roofs\r'],
  ])
  assert.match(seen, /Password: \r\nMade the user bob@example\.com with id 1\.\r\n$/)
  assert.doesNotMatch(seen, /rain/)
  assert.equal(code, 0)
})
