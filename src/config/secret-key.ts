import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { codeOf } from '../lib/code.ts'
import { randomSecret } from '../lib/secrets.ts'

/** Where the key of an installation that names none is kept. */
export const KEY_FILE = 'data/secret_key'

/** Keys that stand in tutorials, and so in every attacker's list. */
const PUBLISHED = new Set([
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'django-insecure-change-this-key-in-production',
])

/** Whether a key has at least 32 characters, ten different ones, and is not a published one. */
export const isStrongKey = (key: string): boolean =>
  key.length >= 32 &&
  new Set(key).size >= 10 &&
  !PUBLISHED.has(key) &&
  !/change.?me|your.?secret/i.test(key)

/** The key of this installation: made at the first start, the same ever after. */
export function keptKey(): string {
  const path = resolve(KEY_FILE)
  try {
    return read(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  mkdirSync(resolve(path, '..'), { recursive: true, mode: 0o700 })
  // Written aside and linked in: of two first starts at once, both read the same whole key.
  // By a name of its own: in containers that share the folder each may be process 1.
  const aside = `${path}.${randomUUID()}`
  try {
    writeFileSync(aside, `${randomSecret()}\n`, { mode: 0o600, flag: 'wx', flush: true })
    linkSync(aside, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
  return read(path)
}

const read = (path: string): string => readFileSync(path, 'utf8').trim()
