import { mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { sqlitePath } from '../db/url.ts'
import { DatabaseRefused } from '../db/refusal.ts'
import { checkFile, copyFile } from '../db/sqlite-file.ts'
import { naming } from '../db/sqlite-failure.ts'
import { giveTo } from '../db/sqlite-replace.ts'
import { tableLines } from './copy.ts'

/**
 * `todo backup FILE`: copies the SQLite database while the service goes on, checks the copy, and
 * gives the lines to print. Throws `DatabaseRefused` also when FILE exists and `force` is not given.
 */
export async function backupTo(
  { databaseUrl }: Config,
  file: string,
  options: { force: boolean },
): Promise<string[]> {
  const path = fileOf(
    databaseUrl,
    (url) => `pg_dump --format=custom --file=${quoted(file)} ${quoted(url)}`,
  )
  const { tables, replaced } = await copyFile(path, resolve(file), { ...options, goesOn: false })
  for (const part of replaced) rmSync(part)
  return [...tableLines(tables), `Backed up ${path} to ${file}, and checked it.`]
}

/**
 * `todo restore FILE`: puts a backup in the database's place. A database that is there is refused,
 * or with `force` kept under another name, and its owner stays the owner. Gives the lines to print;
 * throws `DatabaseRefused`.
 */
export async function restoreFrom(
  { databaseUrl }: Config,
  file: string,
  options: { force: boolean },
): Promise<string[]> {
  const path = fileOf(
    databaseUrl,
    (url) =>
      `pg_restore --exit-on-error --single-transaction --no-owner --dbname=${quoted(url)} ${quoted(file)}`,
  )
  checkFile(resolve(file))
  const made = naming(path, () => makeFolder(resolve(dirname(path))))
  const restored = await copyFile(resolve(file), path, { ...options, goesOn: true })
  const { tables, schema, replaced } = restored
  // Often it is root who restores, and the service that opens it is somebody else.
  const isGiven = giveTo(restored.path, replaced[0] ?? dirname(restored.path))
  const isRoots = made !== undefined && statSync(made).uid === 0
  return [
    ...tableLines(tables),
    `Restored ${path} from ${file}, and checked it.`,
    ...(replaced.length > 0 ? [`What was there before is kept in ${replaced.join(', ')}.`] : []),
    ...(isGiven ? [] : [`${path} belongs to you: give it to the user of the service.`]),
    ...(isRoots
      ? [`${made} belongs to you: give it to the user of the service, with all that is in it.`]
      : []),
    ...(schema.pending.length > 0
      ? ['It is of an older version, and is migrated at the start.']
      : []),
  ]
}

/**
 * Makes a folder for its owner only, with those around it that are missing, and gives the outermost that
 * it made. What root makes belongs to whom the folder around it does.
 */
function makeFolder(path: string): string | undefined {
  const made = mkdirSync(path, { recursive: true, mode: 0o700 })
  if (made === undefined || process.getuid?.() !== 0) return undefined
  for (let folder = path; folder.length >= made.length; folder = dirname(folder)) {
    giveTo(folder, dirname(made))
  }
  return made
}

/** Text as one word for a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The SQLite file; for PostgreSQL throws with the command that does the same there. */
function fileOf(databaseUrl: string, command: (url: string) => string): string {
  const path = sqlitePath(databaseUrl)
  if (path === ':memory:') throw new DatabaseRefused('The database is in memory only.')
  if (path !== undefined) return path
  const url = new URL(databaseUrl)
  url.password = ''
  url.searchParams.delete('password')
  // What only `pg` knows; its `no-verify` is their `require`.
  url.searchParams.delete('uselibpqcompat')
  if (url.searchParams.get('sslmode') === 'no-verify') url.searchParams.set('sslmode', 'require')
  throw new DatabaseRefused(
    `For PostgreSQL use its own tools, with the password in PGPASSWORD:\n  ${command(url.href)}`,
  )
}
