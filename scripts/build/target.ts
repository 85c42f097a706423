import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { InlineConfig, Rolldown } from 'vite'

export const root = resolve(import.meta.dirname, '../..')
export const target = join(root, 'dist')

export interface Built {
  readonly name: string
  readonly content: Uint8Array | string
}

/** A digest of all files that the patterns `inputs` name, whatever is left out of them. */
export async function digestOf(inputs: string[], exclude: string[] = []): Promise<string> {
  const hash = createHash('sha256')
  for (const file of globSync(inputs, { cwd: root, exclude }).toSorted()) {
    hash
      .update(`${file}\0`)
      .update(await readFile(join(root, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** The digest of what `manifest` was built from; undefined where nothing was. */
export async function builtFrom(manifest: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(manifest, 'utf8')).inputs
  } catch {
    return undefined
  }
}

/** What Vite makes of `config`, in memory. Loads it only now: a fresh start must not wait for it. */
export async function bundle(
  config: InlineConfig,
): Promise<Array<Rolldown.OutputChunk | Rolldown.OutputAsset>> {
  const { build } = await import('vite')
  // Vite sets it for the whole process, and whoever builds goes on with something else.
  const { NODE_ENV } = process.env
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    ...config,
    build: { write: false, ...config.build },
  })
  if (NODE_ENV === undefined) delete process.env.NODE_ENV
  else process.env.NODE_ENV = NODE_ENV
  return [built].flat().flatMap((each) => ('output' in each ? each.output : []))
}

/** A server that reads meanwhile, or a second build, never sees half a file. */
export async function writeAtOnce(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.new`
  await writeFile(draft, content)
  await rename(draft, file)
}
