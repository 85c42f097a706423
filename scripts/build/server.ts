import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'
import { builtFrom, bundle, digestOf, root, target, writeAtOnce } from './target.ts'

/** The name of what is run. */
const MAIN = 'main.js'
const manifest = join(target, 'server/manifest.json')

const INPUTS = ['src/**/*.ts', 'scripts/build/*.ts', 'package.json', 'package-lock.json']

/** What reads its own files as it runs, or is no JavaScript. */
const LEFT_OUT = ['@node-rs/bcrypt', 'pino-pretty']

/**
 * Lets Swagger UI, put into them, find the files that it serves, which stay in its package. (Left
 * out, it would load another `@fastify/static` and its packages: a ninth of the start.)
 */
const filesOfSwaggerUi: Plugin = {
  name: 'files-of-swagger-ui',
  transform(code, id) {
    const [, module] = id.split('/@fastify/swagger-ui/')
    if (module === undefined) return undefined
    const folder = `path.join(require.resolve('@fastify/swagger-ui'), '..', '${dirname(module)}')`
    return code.replaceAll('__dirname', folder)
  },
}

/**
 * Puts the server and the packages that it uses into a few files, which start in a third of the
 * time and take a third less memory than some 1,300 (docs/benchmarks.md). Nothing is shortened, so
 * that a stack trace can be read. Files are named after their content and never taken away: a
 * process that runs may still load one. `main.js` comes last: with it the new ones are in use.
 */
export async function buildServer(): Promise<'built' | 'fresh'> {
  const inputs = await digestOf(INPUTS, ['**/*.test.ts'])
  if ((await builtFrom(manifest)) === inputs) return 'fresh'
  const files = await bundle({
    root,
    publicDir: false,
    plugins: [filesOfSwaggerUi],
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
