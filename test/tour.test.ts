import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startServer } from './server.ts'

const script = fileURLToPath(new URL('./tour.sh', import.meta.url))

const skip = spawnSync('curl', ['--version']).status !== 0 && 'this machine has no curl'

test("a newcomer's tour by curl goes as the README promises", { skip }, async (t) => {
  const server = await startServer(t)
  const { stdout } = await promisify(execFile)('bash', [script, server.url])
  assert.match(stdout, /The tour is done\.\n$/)
  // What the tour sent in confidence is in no line of the log.
  assert.match(server.output(), /"path":"\/api\/v1\/todos"/)
  assert.doesNotMatch(server.output(), /rain on tin roofs|Bearer|eyJ|MILK/)
})
