// Builds what the pages load, from browser/ into dist/, unless it is there and fresh.
import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'

const root = resolve(import.meta.dirname, '..')
const target = join(root, 'dist')
const manifest = join(target, 'manifest.json')

/** Whatever the result depends on: the sources, the views whose classes Tailwind looks for, the tools. */
const INPUTS = [
  'browser/**/*.{ts,css,svg,png}',
  'src/web/**/*.ts',
  'src/features/*/*.ts',
  'scripts/assets.ts',
  'package-lock.json',
]

interface Built {
  readonly name: string
  readonly content: Uint8Array
}

/**
 * Files are named after their content and never taken away, so that a page which was loaded before
 * an upgrade still finds its script. The manifest comes last: with it the new files are in use.
 */
export async function buildAssets(): Promise<'built' | 'fresh'> {
  const inputs = await digestOfInputs()
  if ((await builtFrom()) === inputs) return 'fresh'
  const pictures = await images()
  const files = [...(await bundle()), ...pictures, webManifest(pictures)]
  await mkdir(join(target, 'assets'), { recursive: true })
  for (const { name, content } of files) await writeCompressed(name, content)
  const pathOf = (extension: string) => {
    const file = files.find(({ name }) => name.endsWith(extension))
    if (!file) throw new Error(`The build made no ${extension} file.`)
    return `/assets/${file.name}`
  }
  const content = {
    inputs,
    script: pathOf('.js'),
    style: pathOf('.css'),
    icon: pathOf('.svg'),
    touchIcon: pathOf('.png'),
    manifest: pathOf('.webmanifest'),
  }
  await writeAtOnce(manifest, `${JSON.stringify(content, null, 2)}\n`)
  return 'built'
}

async function digestOfInputs(): Promise<string> {
  const hash = createHash('sha256')
  for (const file of globSync(INPUTS, { cwd: root }).toSorted()) {
    hash
      .update(`${file}\0`)
      .update(await readFile(join(root, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

async function builtFrom(): Promise<unknown> {
  try {
    return JSON.parse(await readFile(manifest, 'utf8')).inputs
  } catch {
    return undefined
  }
}

async function bundle(): Promise<Built[]> {
  // Loaded only when there is something to build: a fresh start must not wait for it.
  const [{ build }, { default: tailwind }] = await Promise.all([
    import('vite'),
    import('@tailwindcss/vite'),
  ])
  // Vite sets it for the whole process, and whoever builds goes on with something else.
  const { NODE_ENV } = process.env
  const result = await build({
    root: join(root, 'browser'),
    configFile: false,
    logLevel: 'warn',
    plugins: [tailwind()],
    build: {
      write: false,
      target: 'baseline-widely-available',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: {
        input: join(root, 'browser/main.ts'),
        output: {
          entryFileNames: 'app-[hash].js',
          assetFileNames: 'app-[hash][extname]',
          codeSplitting: false,
        },
      },
    },
  })
  if (NODE_ENV === undefined) delete process.env.NODE_ENV
  else process.env.NODE_ENV = NODE_ENV
  const outputs = [result].flat().flatMap((each) => ('output' in each ? each.output : []))
  return outputs.map((file) => ({
    name: file.fileName,
    content: Buffer.from(file.type === 'chunk' ? file.code : file.source),
  }))
}

async function images(): Promise<Built[]> {
  const files = globSync('browser/images/*', { cwd: root })
  return Promise.all(files.map(async (file) => named(file, await readFile(join(root, file)))))
}

/** A file named after its content. */
function named(file: string, content: Uint8Array): Built {
  const digest = createHash('sha256').update(content).digest('base64url').slice(0, 8)
  return { name: `${basename(file, extname(file))}-${digest}${extname(file)}`, content }
}

/** Lets a phone put the pages on its home screen (W3C Web Application Manifest). */
function webManifest(pictures: readonly Built[]): Built {
  const content = {
    name: 'Todo App',
    short_name: 'Todo',
    start_url: '/home',
    scope: '/',
    display: 'standalone',
    background_color: '#f6f8f8',
    theme_color: '#0f766e',
    icons: pictures.map(({ name }) =>
      name.endsWith('.svg')
        ? { src: `/assets/${name}`, sizes: 'any', type: 'image/svg+xml' }
        : { src: `/assets/${name}`, sizes: '180x180', type: 'image/png' },
    ),
  }
  return named('app.webmanifest', Buffer.from(JSON.stringify(content)))
}

async function writeCompressed(name: string, content: Uint8Array): Promise<void> {
  const file = join(target, 'assets', name)
  await writeAtOnce(file, content)
  await writeAtOnce(`${file}.br`, await promisify(brotliCompress)(content))
  await writeAtOnce(`${file}.gz`, await promisify(gzip)(content, { level: 9 }))
}

/** A server that reads meanwhile, or a second build, never sees half a file. */
async function writeAtOnce(file: string, content: Uint8Array | string): Promise<void> {
  const draft = `${file}.${process.pid}.new`
  await writeFile(draft, content)
  await rename(draft, file)
}

if (import.meta.main) {
  if ((await buildAssets()) === 'built') console.log('Built the assets of the pages.')
}
