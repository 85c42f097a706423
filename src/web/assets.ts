import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { codeOf } from '../lib/code.ts'
import { lazy } from '../lib/lazy.ts'
import { closed } from '../lib/shapes.ts'

/** Where the built files are, each named after its content. */
export const assetsDirectory = fileURLToPath(new URL('../../dist/assets/', import.meta.url))

const Assets = closed({
  script: Type.String(),
  style: Type.String(),
  icon: Type.String(),
  touchIcon: Type.String(),
  manifest: Type.String(),
})
/** The paths under which the pages load their files. */
export type Assets = Static<typeof Assets>

const read = lazy(() => {
  const manifest = readFileSync(new URL('../../dist/manifest.json', import.meta.url), 'utf8')
  return Value.Parse(Assets, Value.Clean(Assets, JSON.parse(manifest)))
})

/** What the last build made, as it was when this process first asked. Throws when there was none. */
export function readAssets(): Assets {
  try {
    return read()
  } catch (cause) {
    const code = codeOf(cause)
    // It is there, and cannot be read.
    if (code !== undefined && code !== 'ENOENT') throw cause
    throw new Error('The pages have no script and style yet: run `npm run build` first.', { cause })
  }
}
