import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../src', import.meta.url))

/** Who may import whom: a file may use its own layer and those to its left. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  lib: ['lib'],
  db: ['lib', 'db'],
  http: ['lib', 'http'],
  web: ['lib', 'http', 'web'],
  features: ['lib', 'db', 'http', 'web', 'features'],
  config: ['lib', 'db', 'config'],
}

/** Features from the lowest up; one may use those before it. */
const FEATURES = [
  'users',
  'password-attempts',
  'sessions',
  'accounts',
  'idempotency-keys',
  'todos',
  'profiles',
  'exports',
]

/** What of a feature another one may use. */
const SHARED = new Set(['schema.ts', 'store.ts', 'list-store.ts', 'actions.ts', 'rules.ts'])

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
)

/** What a file imports, also lazily or for what it does alone. */
const importedBy = (file: string): string[] =>
  Array.from(
    readFileSync(join(source, file), 'utf8').matchAll(/(?:from |import\(|import )'([^']+)'/g),
    ([, name = '']) => name,
  )

const importsOf = (file: string): Import[] =>
  importedBy(file)
    .filter((path) => path.startsWith('.'))
    .map((path) => ({ from: file, to: relative(source, join(source, dirname(file), path)) }))

const imports = files.flatMap(importsOf)
const packagesOf = (file: string): string[] =>
  importedBy(file).filter((name) => !name.startsWith('.'))

const show = ({ from, to }: Import) => `${from} → ${to}`

test('the arrows point down: lib, then db and http, then features, then the rest', () => {
  assert.ok(imports.length > 100, 'the imports were read')
  const wrong = imports.filter(({ from, to }) => {
    const allowed = LAYERS[from.split('/')[0] ?? '']
    return allowed && !allowed.includes(to.split('/')[0] ?? '')
  })
  assert.deepEqual(wrong.map(show), [])
})

test('a feature uses the schema, store, actions or rules of a lower feature, and nothing else', () => {
  const wrong = imports.filter(({ from, to }) => {
    const [, mine = '', ...rest] = from.split('/')
    const [layer, theirs = '', file = ''] = to.split('/')
    if (!from.startsWith('features/') || layer !== 'features' || mine === theirs) return false
    const isDownhill = FEATURES.indexOf(theirs) < FEATURES.indexOf(mine)
    return rest.length === 0 || !isDownhill || !SHARED.has(file)
  })
  assert.deepEqual(wrong.map(show), [])
  const folders = new Set(
    files.filter((file) => file.startsWith('features/')).map((file) => file.split('/')[1]),
  )
  assert.deepEqual([...folders].sort(), FEATURES.toSorted())
})

test('no file is in a circle of imports', () => {
  const from = Map.groupBy(imports, ({ from }) => from)
  const walk = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), [...way, file].join(' → '))
    if (done.has(file)) return
    for (const { to } of from.get(file) ?? []) walk(to, [...way, file])
    done.add(file)
  }
  const done = new Set<string>()
  for (const file of files) walk(file, [])
})

test('of a feature only api and pages know Fastify, and only stores and db write queries', () => {
  for (const file of files) {
    const packages = packagesOf(file)
    const [layer] = file.split('/')
    if (
      packages.some((name) => name === 'fastify' || name.startsWith('@fastify/')) &&
      layer === 'features'
    ) {
      assert.match(file, /\/(api|pages)\.ts$/, `${file} knows Fastify`)
    }
    assert.ok(
      layer !== 'lib' || !packages.some((name) => /^(fastify|kysely|pg)/.test(name)),
      `${file} is not pure`,
    )
    const usesHttp = importsOf(file).some(({ to }) => to.startsWith('http/'))
    if (layer === 'features' && usesHttp) {
      assert.match(file, /\/(api|pages|identify)\.ts$/, `${file} knows HTTP`)
    }
    if (layer !== 'db' && !/\/(list-|search-|add-|count-)?store\.ts$/.test(file)) {
      assert.ok(!packages.includes('kysely'), `${file} writes queries`)
      assert.doesNotMatch(
        readFileSync(join(source, file), 'utf8'),
        /\.(selectFrom|insertInto|updateTable|deleteFrom)\(/,
        `${file} writes queries`,
      )
    }
  }
})

test('the layout in docs/architecture.md names every file of what has no features', () => {
  const page = readFileSync(join(source, '../docs/architecture.md'), 'utf8')
  const [, layout = ''] = page.split('```')
  for (const folder of ['lib', 'db', 'http', 'web']) {
    const [, said = ''] = new RegExp(`^  ${folder}/ (.*?)^  \\w`, 'ms').exec(layout) ?? []
    const missing = readdirSync(join(source, folder))
      .filter((name) => !name.endsWith('.test.ts'))
      .map((name) => name.replace('.ts', ''))
      // The parts of a database are named by the database.
      .filter((name) => !/^(sqlite|postgresql)-/.test(name))
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(said))
    assert.deepEqual(missing, [], folder)
  }
})

test('a file is short enough to be read at once (250 lines)', () => {
  for (const file of files) {
    const lines = readFileSync(join(source, file), 'utf8').split('\n').length
    assert.ok(lines <= 251, `${file} has ${lines} lines`)
  }
})
