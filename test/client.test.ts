import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startServer } from './server.ts'

const run = promisify(execFile)
const client = fileURLToPath(new URL('./client', import.meta.url))
const generator = join(client, 'node_modules/openapi-typescript/bin/cli.js')
const compiler = join(client, 'node_modules/typescript/bin/tsc')

test('a client generated from the document compiles strictly and does the tour', async (t) => {
  // Inside the workspace, so that the client finds its packages as any client would.
  await mkdir(join(client, '.generated'), { recursive: true })
  const directory = await mkdtemp(join(client, '.generated/tour-'))
  t.after(() => rm(directory, { recursive: true }))
  for (const file of ['tour.ts', 'tsconfig.json', 'package.json']) {
    await copyFile(join(client, file), join(directory, file))
  }
  const { url } = await startServer(t)
  await run(process.execPath, [
    generator,
    `${url}/openapi.json`,
    '-o',
    join(directory, 'schema.d.ts'),
  ])
  const compiled = await run(process.execPath, [compiler, '-p', directory]).catch((error) => error)
  assert.equal(compiled.stdout, '')
  await run(process.execPath, [join(directory, 'tour.ts'), url])
})
