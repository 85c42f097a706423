import * as files from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { MIGRATIONS_TABLE, NewerSchema, type SchemaState, stateAfter } from './migrate.ts'
import type { TableCount } from './queries.ts'
import { DatabaseRefused } from './refusal.ts'

/** SQLite files as a whole: copied while they are written to, checked, put into another's place. */

export interface CheckedFile {
  readonly tables: readonly TableCount[]
  readonly schema: SchemaState
}

/** With so many pages at a time the copy is one step, which no writer can make begin anew. */
const ALL_PAGES = 2 ** 31 - 1
const BUSY_TIMEOUT = 5_000
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOT_A_DATABASE = 26

/** A database, and what SQLite keeps beside it while it is open. */
const ENDINGS = ['', '-wal', '-shm', '-journal']

/**
 * Copies the database at `from`, as it is at one moment while others go on writing, to `to`, which
 * appears only when it is whole, checked and on the disk. `makeRoom` runs right before that; without
 * it `to` must not exist. Throws `DatabaseRefused`, and `NewerSchema` for one of a newer version.
 */
export async function copyFile(
  from: string,
  to: string,
  makeRoom = () => refuseIfThere(to),
): Promise<CheckedFile> {
  refuseIfMissing(from)
  const aside = `${to}.${process.pid}.partial`
  const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_TIMEOUT })
  try {
    // The copy and the counts are of the moment at which this begins.
    source.exec('begin')
    const tables = countRows(source)
    // What is inside is for the operator's eyes only, from the first byte on.
    files.writeFileSync(aside, '', { mode: 0o600, flag: 'wx' })
    await backup(source, aside, { rate: ALL_PAGES })
    makeSingle(aside)
    const copied = checkFile(aside)
    if (!isDeepStrictEqual(copied.tables, tables)) {
      throw new DatabaseRefused(`The copy of ${from} has other rows than the original.`)
    }
    makeRoom()
    files.renameSync(aside, to)
    flush(dirname(to))
    return copied
  } catch (error) {
    throw explained(error, from)
  } finally {
    source.close()
    for (const end of ENDINGS) files.rmSync(`${aside}${end}`, { force: true })
  }
}

/**
 * Looks whether the file at `path` is a sound database of this service, and counts its rows.
 * Throws `DatabaseRefused`, and `NewerSchema` when it is of a newer version.
 */
export function checkFile(path: string): CheckedFile {
  refuseIfMissing(path)
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT })
  try {
    const faults = [
      ...database.prepare('pragma integrity_check(10)').all(),
      ...database.prepare('pragma foreign_key_check').all(),
    ].filter(({ integrity_check }) => integrity_check !== 'ok')
    if (faults.length > 0) {
      throw new DatabaseRefused(`${path} is damaged: ${JSON.stringify(faults.slice(0, 10))}`)
    }
    const tables = countRows(database)
    if (!tables.some(({ name }) => name === MIGRATIONS_TABLE)) {
      throw new DatabaseRefused(`${path} is not a database of this service.`)
    }
    const ran = database.prepare(`select name from ${MIGRATIONS_TABLE}`).all()
    const schema = stateAfter(ran.map(({ name }) => String(name)))
    if (schema.unknown.length > 0) throw new NewerSchema(schema.unknown)
    return { tables, schema }
  } catch (error) {
    throw explained(error, path)
  } finally {
    database.close()
  }
}

/**
 * Moves the database at `path`, if there is one, out of the way, and gives its new name. Throws
 * `DatabaseRefused` when a process has it open, whose writes would be lost.
 */
export function putAside(path: string): string | undefined {
  const there = ENDINGS.filter((end) => files.existsSync(`${path}${end}`))
  if (there.includes('')) makeSingle(path)
  const aside = `${path}.${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
  for (const end of there) {
    // Leaving the write-ahead log has made one file of several.
    if (files.existsSync(`${path}${end}`)) files.renameSync(`${path}${end}`, `${aside}${end}`)
  }
  return there.includes('') ? aside : undefined
}

/** Brings all of a database into its one file, which only its last connection may do. */
function makeSingle(path: string): void {
  const database = new DatabaseSync(path)
  try {
    database.exec('pragma locking_mode = exclusive; pragma journal_mode = delete; begin exclusive')
  } catch (error) {
    if (codeOf(error) === SQLITE_BUSY) {
      throw new DatabaseRefused(`${path} is in use. Stop the service first.`)
    }
    // A damaged database is often why another one is put in its place.
    if (codeOf(error) !== SQLITE_CORRUPT && codeOf(error) !== SQLITE_NOT_A_DATABASE) throw error
  } finally {
    database.close()
  }
}

function refuseIfMissing(path: string): void {
  if (!files.existsSync(path)) throw new DatabaseRefused(`There is no file ${path}.`)
}

function refuseIfThere(path: string): void {
  if (files.existsSync(path)) throw new DatabaseRefused(`${path} is there already.`)
}

function countRows(database: DatabaseSync): TableCount[] {
  const names = database
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite%'")
    .all()
    .map(({ name }) => String(name))
  return names.sort().map((name) => {
    const row = database.prepare(`select count(*) as rows from "${name}"`).get()
    return { name, rows: Number(row?.rows) }
  })
}

/** Makes the names in a directory as lasting as what they name. */
function flush(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = files.openSync(directory, 'r')
  try {
    files.fsyncSync(descriptor)
  } finally {
    files.closeSync(descriptor)
  }
}

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined

/** SQLite's own words for a file that it cannot read name no file. */
function explained(error: unknown, path: string): unknown {
  if (codeOf(error) === undefined || !(error instanceof Error)) return error
  return new DatabaseRefused(`${path} cannot be read as a database: ${error.message}.`)
}
