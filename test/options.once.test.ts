import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../scripts/options.ts', import.meta.url))
const documented = fileURLToPath(new URL('../docs/options.md', import.meta.url))

const run = (...args: string[]) =>
  spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })

/** A copy of the page, changed, in a folder that goes with the test. */
function copy(t: TestContext, change: (page: string) => string): string {
  const directory = mkdtempSync(join(tmpdir(), 'todo-app-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'options.md')
  writeFileSync(file, change(readFileSync(documented, 'utf8')))
  return file
}

test('docs/options.md is what the script writes', () => {
  const { status, stderr } = run('--check')
  assert.equal(stderr, '')
  assert.equal(status, 0)
})

test('a stale page of the options is noticed and left alone, and written when asked', (t) => {
  const file = copy(t, (page) => page.replace('8000', '8001'))
  const { status, stderr } = run('--check', file)
  assert.equal(status, 1)
  assert.match(stderr, /is stale\. Run `node scripts\/options\.ts`/)
  assert.match(readFileSync(file, 'utf8'), /8001/)
  assert.equal(run(file).status, 0)
  assert.equal(readFileSync(file, 'utf8'), readFileSync(documented, 'utf8'))
})
