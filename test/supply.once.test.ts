import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const root = new URL('../', import.meta.url)
const read = (path: string) => readFile(new URL(path, root), 'utf8')

/** Licences that let anyone use, change and pass on what is shipped, without opening their own code. */
const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
]
/** What only the development uses is not passed on. */
const FOR_DEVELOPMENT = [...PERMISSIVE, 'CC0-1.0', 'MPL-2.0', 'Python-2.0', 'Zlib']

const isAmong = (licences: readonly string[], expression: string | undefined): boolean =>
  (expression ?? '')
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((each) => licences.includes(each)))

const Versions = Type.Record(Type.String(), Type.String())
const Manifest = Type.Object({
  name: Type.String(),
  dependencies: Type.Optional(Versions),
  devDependencies: Type.Optional(Versions),
  optionalDependencies: Type.Optional(Versions),
})
const Lock = Type.Object({
  packages: Type.Record(
    Type.String(),
    Type.Object({
      license: Type.Optional(Type.String()),
      integrity: Type.Optional(Type.String()),
      dev: Type.Optional(Type.Boolean()),
      optional: Type.Optional(Type.Boolean()),
      link: Type.Optional(Type.Boolean()),
      inBundle: Type.Optional(Type.Boolean()),
      optionalDependencies: Type.Optional(Versions),
    }),
  ),
})
const Sbom = Type.Object({
  bomFormat: Type.Literal('CycloneDX'),
  components: Type.Array(
    Type.Object({
      name: Type.String(),
      version: Type.String(),
      purl: Type.String(),
      licenses: Type.Optional(Type.Array(Type.Unknown())),
    }),
  ),
})

const WORKSPACES = ['test/client', 'bench/peers/express']
const OURS = new Set(['', ...WORKSPACES])

async function packages() {
  const lock = Value.Parse(Lock, JSON.parse(await read('package-lock.json')))
  return Object.entries(lock.packages).filter(([path, { link }]) => !OURS.has(path) && !link)
}

async function direct(): Promise<Record<string, string>> {
  const manifests = await Promise.all(
    ['package.json', ...WORKSPACES.map((path) => `${path}/package.json`)].map(async (path) =>
      Value.Parse(Manifest, JSON.parse(await read(path))),
    ),
  )
  return Object.assign(
    {},
    ...manifests.flatMap((each) => [
      each.dependencies,
      each.devDependencies,
      each.optionalDependencies,
    ]),
  )
}

test('every package has a permissive licence, and the shipped ones a choice of fewer', async () => {
  for (const [path, { license, dev }] of await packages()) {
    assert.ok(isAmong(dev ? FOR_DEVELOPMENT : PERMISSIVE, license), `${path}: ${license}`)
  }
})

test('every package is fixed to its content by a digest, and every direct one to a version', async () => {
  for (const [path, { integrity, inBundle }] of await packages()) {
    assert.ok(inBundle || integrity?.startsWith('sha512-'), path)
  }
  for (const [name, version] of Object.entries(await direct())) {
    assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
  }
})

test('the lockfile has what other platforms than the one it was made on install', async () => {
  const all = await packages()
  const names = new Set(all.map(([path]) => path.split('node_modules/').at(-1)))
  for (const [path, { optionalDependencies = {} }] of all) {
    const missing = Object.keys(optionalDependencies).filter((name) => !names.has(name))
    assert.deepEqual(missing, [], path)
  }
})

test('every direct dependency has its reason and licence in docs/decisions.md', async () => {
  const lines = (await read('docs/decisions.md')).split('\n').filter((line) => line.startsWith('|'))
  const licences = new Map(await packages())
  for (const name of Object.keys(await direct())) {
    const row = lines.find((line) => line.split('|')[1]?.includes(`\`${name}\``))
    assert.ok(row, `${name} has no row`)
    const places = ['', ...WORKSPACES.map((path) => `${path}/`)]
    const [license] = places.flatMap(
      (place) => licences.get(`${place}node_modules/${name}`)?.license ?? [],
    )
    const stated = row.split('|').at(-2)?.trim() ?? ''
    assert.equal(stated.split(',', 1)[0]?.replaceAll(' or ', ' OR '), license, name)
  }
})

test('npm makes a bill of materials that has every package that is shipped everywhere', async () => {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['run', '--silent', 'sbom', '--', '--package-lock-only'],
    { cwd: root, maxBuffer: 16 * 2 ** 20 },
  )
  const { components } = Value.Parse(Sbom, JSON.parse(stdout))
  const names = new Set(components.map(({ name }) => name))
  for (const [path, { dev, optional }] of await packages()) {
    const name = path.split('node_modules/').at(-1) ?? ''
    if (!dev && !optional) assert.ok(names.has(name), `${name} is missing`)
  }
})
