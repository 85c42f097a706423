import { randomUUID } from 'node:crypto'
import * as files from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { MIGRATIONS_TABLE, NewerSchema, type SchemaState, stateAfter } from './migrate.ts'
import type { TableCount } from './queries.ts'
import { DatabaseRefused, refuseIfMissing } from './refusal.ts'
import { explained, isDamage, isOfWriting, naming } from './sqlite-failure.ts'
import {
  followed,
  makeSingle,
  putAside,
  refuseAsTarget,
  refuseIfThere,
  removeDatabase,
} from './sqlite-replace.ts'

/** SQLite files as a whole: copied while they are written to, and checked. */

export interface CheckedFile {
  readonly tables: readonly TableCount[]
  readonly schema: SchemaState
}

export interface CopiedFile extends CheckedFile {
  /** Where it is, which is not where a symbolic link is that leads there. */
  readonly path: string
  /** The new names of what was in its place. */
  readonly replaced: readonly string[]
}

/** With so many pages at a time the copy is one step, which no writer can make begin anew. */
const ALL_PAGES = 2 ** 31 - 1
const BUSY_TIMEOUT = 5_000

/** What ends a command from outside, and lets it say a last word. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Copies the database at `from`, as it is at one moment while others go on writing, to `target`, or where
 * a symbolic link there leads. It appears only when it is whole, checked and on the disk. What is there is refused, or with `force` put
 * aside; with `goesOn` the copy gives ids behind those of what it replaces. Throws `DatabaseRefused`, and `NewerSchema` for one of a newer version.
 */
export async function copyFile(
  from: string,
  target: string,
  { force, goesOn }: { readonly force: boolean; readonly goesOn: boolean },
): Promise<CopiedFile> {
  refuseIfMissing(from)
  const to = naming(target, () => followed(target))
  refuseAsTarget(to, from)
  if (!force) refuseIfThere(to)
  const aside = `${to}.${randomUUID()}.partial`
  const source = openToRead(from)
  const takeBack = removeAtSignal(aside)
  try {
    // The copy and the counts are of the moment at which this begins.
    const tables = naming(from, () => {
      source.exec('begin')
      return countRows(source)
    })
    // What is inside is for the operator's eyes only, from the first byte on.
    naming(to, () => files.writeFileSync(aside, '', { mode: 0o600, flag: 'wx' }))
    await backup(source, aside, { rate: ALL_PAGES }).catch((error: unknown) => {
      throw explained(error, isOfWriting(error) ? to : from)
    })
    makeSingle(aside)
    const copied = checkCopy(aside, from)
    if (!isDeepStrictEqual(copied.tables, tables)) {
      throw new DatabaseRefused(`The copy of ${from} has other rows than the original.`)
    }
    // A signal that came while all was checked is heard in the next turn of the event loop.
    for (let turn = 0; turn < 2; turn++) await setImmediate()
    // Again, since others went on meanwhile.
    if (!force) refuseIfThere(to)
    if (goesOn && files.existsSync(to)) goOnWithIds(aside, to)
    const replaced = putAside(to)
    files.renameSync(aside, to)
    flush(dirname(to))
    return { ...copied, path: to, replaced }
  } finally {
    source.close()
    removeDatabase(aside)
    takeBack()
  }
}

/** The last ids that a database gave, as far as another can go on with them. */
const GIVEN = `
  select name, seq from former.sqlite_sequence
  where typeof(seq) = 'integer' and seq < ${Number.MAX_SAFE_INTEGER}`

/**
 * Has the database at `path` give ids behind those of the one at `former`, whose place it takes: a page or a client that
 * knows a todo of that one would else take another for it. Where those are not known, it is left as it is. Throws
 * `DatabaseRefused` when a process has that one open.
 */
function goOnWithIds(path: string, former: string): void {
  makeSingle(former)
  if (![path, former].every(isOurs)) return
  const database = naming(path, () => new DatabaseSync(path))
  try {
    database.prepare('attach ? as former').run(former)
    database.exec(`
      begin;
      insert into main.sqlite_sequence (name, seq)
        select name, 0 from (${GIVEN})
        where name in (select name from main.sqlite_schema where sql like '%autoincrement%')
          and name not in (select name from main.sqlite_sequence);
      update main.sqlite_sequence set seq = max(main.sqlite_sequence.seq, given.seq)
        from (${GIVEN}) as given where main.sqlite_sequence.name = given.name;
      commit`)
  } catch (error) {
    if (!isDamage(error)) throw explained(error, path)
  } finally {
    database.close()
  }
}

/** Whether the file at `path` is a database with the tables of this service, as far as can be read. */
function isOurs(path: string): boolean {
  const database = naming(path, () => new DatabaseSync(path, { readOnly: true }))
  try {
    const tables = database
      .prepare('select 1 from sqlite_schema where name in (?, ?, ?)')
      .all('users', 'todos', MIGRATIONS_TABLE)
    const { encoding } = database.prepare('pragma encoding').get() ?? {}
    return tables.length === 3 && encoding === 'UTF-8'
  } catch (error) {
    if (isDamage(error)) return false
    throw explained(error, path)
  } finally {
    database.close()
  }
}

/** Has a signal that ends this process delete the copy at `aside` first. Gives what takes that back. */
function removeAtSignal(aside: string): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    removeDatabase(aside)
    process.exit(128 + constants.signals[signal])
  }
  for (const signal of ENDING) process.once(signal, onSignal)
  return () => {
    for (const signal of ENDING) process.off(signal, onSignal)
  }
}

/**
 * Looks whether the file at `path` is a sound database of this service, and counts its rows.
 * Throws `DatabaseRefused`, and `NewerSchema` when it is of a newer version.
 */
export function checkFile(path: string): CheckedFile {
  refuseIfMissing(path)
  const database = openToRead(path)
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

/** Checks a copy of the database at `from`: what is wrong with it is mostly wrong there as well. */
function checkCopy(aside: string, from: string): CheckedFile {
  try {
    return checkFile(aside)
  } catch (error) {
    checkFile(from)
    throw error
  }
}

const openToRead = (path: string): DatabaseSync =>
  naming(path, () => new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT }))

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
