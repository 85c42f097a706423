import { join } from 'node:path'
import { builtFrom, bundle, digestOf, root, target, writeAtOnce } from './target.ts'

/** The name of what is run. */
const MAIN = 'main.js'
const manifest = join(target, 'server/manifest.json')

const INPUTS = ['src/**/*.ts', 'scripts/build/*.ts', 'package.json', 'package-lock.json']

/** What reads its own files as it runs, or is no JavaScript. */
const LEFT_OUT = ['@fastify/swagger-ui', '@node-rs/bcrypt', 'pino', 'pino-pretty']

/**
 * Puts the server and the packages that it uses into a few files, which start in two thirds of the
 * time and take a fifth less memory than some 1,300 (docs/benchmarks.md). Nothing is shortened, so
 * that a stack trace can be read. Files are named after their content and never taken away: a
 * process that runs may still load one. `main.js` comes last: with it the new ones are in use.
 */
export async function buildServer(): Promise<'built' | 'fresh'> {
  const inputs = await digestOf(INPUTS, ['**/*.test.ts'])
  if ((await builtFrom(manifest)) === inputs) return 'fresh'
  const files = await bundle({
    root,
    publicDir: false,
    ssr: { noExternal: true, external: LEFT_OUT },
    build: {
      ssr: true,
      minify: false,
      target: 'esnext',
      rolldownOptions: {
        input: { main: join(root, 'src/main.ts') },
        output: {
          entryFileNames: MAIN,
          chunkFileNames: 'server/[name]-[hash].js',
          // V8 keeps the text of a file as it is, in twice the memory for one character beyond Latin-1.
          charset: 'ascii',
          comments: { legal: true, annotation: false, jsdoc: false },
        },
      },
    },
  })
  for (const file of files.toSorted((one) => (one.fileName === MAIN ? 1 : -1))) {
    if (file.type === 'chunk') await writeAtOnce(join(target, file.fileName), file.code)
  }
  await writeAtOnce(manifest, `${JSON.stringify({ inputs }, null, 2)}\n`)
  return 'built'
}
