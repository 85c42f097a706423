import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { checkSync } from 'recheck'
import { world } from '../world.ts'

const root = new URL('../../', import.meta.url)

/** A regular expression as the source writes it, from one line. */
const LITERAL =
  /(?<=[=(,:[!&|?{};\s])\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])+)\/([dgimsuvy]*)(?=[\s.,;)\]]|$)/g

async function literals() {
  const files = globSync(['src/**/*.ts', 'browser/**/*.ts'], { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .toSorted()
  const found: Array<{ where: string; source: string; flags: string }> = []
  for (const file of files) {
    for (const line of (await readFile(new URL(file, root), 'utf8')).split('\n')) {
      if (/^\s*(\*|\/\/|\/\*)/.test(line)) continue
      for (const [, source = '', flags = ''] of line.matchAll(LITERAL)) {
        found.push({ where: file, source, flags })
      }
    }
  }
  return found
}

/** Every `pattern` of a JSON schema, however deep. */
function patternsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'pattern' && typeof inner === 'string' ? [inner] : patternsIn(inner),
  )
}

test('no pattern takes more than linear time, whatever it is held against', async (t) => {
  const { app } = await world(t)
  const document = (await app.inject('/openapi.json')).json()
  const { email } = fullFormats
  assert.ok(email instanceof RegExp)
  const schemas = [...new Set(patternsIn(document))].map((source) => ({
    where: '/openapi.json',
    source,
    flags: 'u',
  }))
  const inSource = await literals()
  assert.ok(inSource.length > 25 && schemas.length > 0, 'the patterns were found')
  const all = [
    ...inSource,
    ...schemas,
    { where: 'the format email', source: email.source, flags: email.flags },
  ]
  for (const { where, source, flags } of all) {
    const { status } = checkSync(source, flags)
    assert.equal(status, 'safe', `${where}: /${source}/${flags}`)
  }
  assert.equal(checkSync('^(a+)+$', '').status, 'vulnerable', 'the check does find what is slow')
})
