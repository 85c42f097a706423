import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { type Built, builtFrom, bundle, digestOf, root, target, writeAtOnce } from './target.ts'

const manifest = join(target, 'manifest.json')

/** Whatever the result depends on: the sources, the views whose classes Tailwind looks for, the tools. */
export const INPUTS = [
  'browser/**/*.{ts,css,svg,png}',
  'src/lib/*.ts',
  'src/web/**/*.ts',
  'src/features/*/*.ts',
  'scripts/build/*.ts',
  'package-lock.json',
]

/**
 * Builds what the pages load, from browser/ into dist/, unless it is there and fresh. Files are named after their content and never taken away, so that a page which was loaded before
 * an upgrade still finds its script. The manifest comes last: with it the new files are in use.
 */
export async function buildPages(): Promise<'built' | 'fresh'> {
  const inputs = await digestOf(INPUTS)
  if ((await builtFrom(manifest)) === inputs) return 'fresh'
  const pictures = await images()
  const files = [...(await scriptAndStyle()), ...pictures, webManifest(pictures)]
  for (const file of files) await writeCompressed(file)
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

async function scriptAndStyle(): Promise<Built[]> {
  const { default: tailwind } = await import('@tailwindcss/vite')
  const files = await bundle({
    root: join(root, 'browser'),
    plugins: [tailwind()],
    build: {
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
  return files.map((file) => ({
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

async function writeCompressed({ name, content }: Built): Promise<void> {
  const file = join(target, 'assets', name)
  await writeAtOnce(file, content)
  await writeAtOnce(`${file}.br`, await promisify(brotliCompress)(content))
  await writeAtOnce(`${file}.gz`, await promisify(gzip)(content, { level: 9 }))
}
