import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { sqlitePath } from '../db/url.ts'
import { DatabaseRefused } from '../db/refusal.ts'
import { checkFile, copyFile, putAside } from '../db/sqlite-file.ts'
import { tableLines } from './copy.ts'

/**
 * `todo backup FILE`: copies the SQLite database while the service goes on, checks the copy, and
 * gives the lines to print. Throws `DatabaseRefused` also when FILE exists and `force` is not given.
 */
export async function backupTo(
  { databaseUrl }: Config,
  file: string,
  { force }: { force: boolean },
): Promise<string[]> {
  const path = fileOf(databaseUrl, (url) => `pg_dump --format=custom --file=${file} ${url}`)
  refuse(file, force)
  const { tables } = await copyFile(path, resolve(file), () => refuse(file, force))
  return [...tableLines(tables), `Backed up ${path} to ${file}, and checked it.`]
}

/**
 * `todo restore FILE`: puts a backup in the database's place. A database that is there is refused,
 * or with `force` kept under another name. Gives the lines to print; throws `DatabaseRefused`.
 */
export async function restoreFrom(
  { databaseUrl }: Config,
  file: string,
  { force }: { force: boolean },
): Promise<string[]> {
  const path = fileOf(
    databaseUrl,
    (url) => `pg_restore --exit-on-error --single-transaction --no-owner --dbname=${url} ${file}`,
  )
  checkFile(resolve(file))
  refuse(path, force)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let kept: string | undefined
  const { tables, schema } = await copyFile(resolve(file), path, () => {
    kept = putAside(path)
  })
  return [
    ...tableLines(tables),
    `Restored ${path} from ${file}, and checked it.`,
    ...(kept ? [`What was there before is kept in ${kept}.`] : []),
    ...(schema.pending.length > 0
      ? ['It is of an older version, and is migrated at the start.']
      : []),
  ]
}

function refuse(path: string, force: boolean): void {
  if (force || !existsSync(path)) return
  throw new DatabaseRefused(`${path} is there already. Give --force to put another in its place.`)
}

/** The SQLite file; for PostgreSQL throws with the command that does the same there. */
function fileOf(databaseUrl: string, command: (url: string) => string): string {
  const path = sqlitePath(databaseUrl)
  if (path === ':memory:') throw new DatabaseRefused('The database is in memory only.')
  if (path !== undefined) return path
  const url = new URL(databaseUrl)
  url.password = ''
  throw new DatabaseRefused(
    `For PostgreSQL use its own tools, with the password in PGPASSWORD:\n  ${command(url.href)}`,
  )
}
