import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse, parseAllDocuments } from 'yaml'
import { Environment } from '../src/config/environment.ts'
import { readEnvironment } from '../src/config/read-environment.ts'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'deploy/kubernetes')

const Manifest = Type.Object({
  apiVersion: Type.String(),
  kind: Type.String(),
  metadata: Type.Object({ name: Type.String() }),
})
const Kustomization = Type.Object({
  configMapGenerator: Type.Array(Type.Object({ literals: Type.Array(Type.String()) })),
})
const Secret = Type.Object({ stringData: Type.Record(Type.String(), Type.String()) })
type Manifest = Static<typeof Manifest>

const isManifest = (value: unknown): value is Manifest => Value.Check(Manifest, value)

/** The documents of some YAML, as they stand there. */
const manifestsIn = (yaml: string): Manifest[] =>
  parseAllDocuments(yaml, { merge: true })
    .map((document): unknown => document.toJS())
    .filter((value) => {
      assert.ok(isManifest(value), JSON.stringify(value))
      return isManifest(value)
    })

const sources = readdirSync(folder).filter((file) => file !== 'kustomization.yaml')
const manifests = sources.flatMap((file) => manifestsIn(readFileSync(join(folder, file), 'utf8')))

const built = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' })
const skip = built.error !== undefined && 'this machine has no kubectl'

/** Kubernetes' own schema of each kind: what is required, and of which type and form it is. */
async function faultOf({ apiVersion, kind, ...rest }: Manifest): Promise<string | undefined> {
  const group = apiVersion.includes('.') || apiVersion.includes('/') ? apiVersion : 'v1'
  const module: Record<string, new (data: object) => { validate(): void }> = await import(
    `kubernetes-models/${group}/${kind}`
  )
  const Model = module[kind]
  assert.ok(Model, `there is no ${kind} in ${apiVersion}`)
  try {
    new Model({ apiVersion, kind, ...rest }).validate()
    return undefined
  } catch (error) {
    return `${kind}: ${String(error)}`
  }
}

/** What a strict reading adds: no field that the kind does not have. Their types know them all. */
function strictFaults(all: readonly Manifest[]): string {
  mkdirSync(join(root, '.tmp'), { recursive: true })
  const directory = mkdtempSync(join(root, '.tmp', 'kubernetes-'))
  try {
    const text = all.map(
      (manifest, index) =>
        `import type { I${manifest.kind} as Kind${index} } from 'kubernetes-models/${manifest.apiVersion}'\n` +
        `export const manifest${index}: Kind${index} = ${JSON.stringify(manifest, null, 2)}\n`,
    )
    writeFileSync(join(directory, 'manifests.ts'), text.join('\n'))
    const options = [
      '--strict',
      '--noEmit',
      '--skipLibCheck',
      '--ignoreConfig',
      '--module',
      'nodenext',
    ]
    const file = join(directory, 'manifests.ts')
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, ...options, file], {
      cwd: root,
      encoding: 'utf8',
    })
    return stdout + stderr
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function assertValid(all: readonly Manifest[]): Promise<void> {
  const faults = await Promise.all(all.map(faultOf))
  assert.deepEqual(faults.filter(Boolean), [])
  assert.equal(strictFaults(all), '')
}

test('every manifest is what Kubernetes allows, without a field that it does not know', async () => {
  assert.ok(manifests.length >= 8)
  await assertValid(manifests)
})

test('a manifest with a wrong type, a missing field or a misspelt one would be found', async () => {
  const service = manifests.find(({ kind }) => kind === 'Service')
  assert.ok(service)
  const wrong = (spec: object) => ({ ...service, spec })
  assert.match((await faultOf(wrong({ ports: 80 }))) ?? '', /ports/)
  assert.match((await faultOf(wrong({ ports: [{}] }))) ?? '', /port/)
  assert.match(strictFaults([wrong({ selectors: {} })]), /selectors/)
})

test('the manifests set only variables that the service knows, and may hold', () => {
  const { configMapGenerator } = Value.Parse(
    Kustomization,
    parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')),
  )
  const literals = configMapGenerator.flatMap((generator) => generator.literals)
  assert.ok(literals.length > 5, 'they were read')
  const variables = literals.map((literal) => /^([A-Z_]+)=(.+)$/.exec(literal)?.slice(1) ?? [])
  assert.ok(readEnvironment(Object.fromEntries(variables)))
  const secret = Value.Parse(
    Secret,
    manifests.find(({ kind }) => kind === 'Secret'),
  )
  const names = [...variables.map(([name = '']) => name), ...Object.keys(secret.stringData)]
  const known = Object.keys(Environment.properties)
  assert.deepEqual(
    names.filter((name) => !known.includes(name)),
    [],
  )
})

test('kustomize builds them into one that can be applied', { skip }, async () => {
  assert.equal(built.status, 0, built.stderr)
  const all = manifestsIn(built.stdout)
  await assertValid(all)
  assert.deepEqual(
    all.map(({ kind }) => kind).sort(),
    [...manifests.map(({ kind }) => kind).filter((kind) => kind !== 'Secret'), 'ConfigMap'].sort(),
  )
})
