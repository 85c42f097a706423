import * as files from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { codeOf } from '../lib/code.ts'
import { DatabaseRefused } from './refusal.ts'
import { explained, isBusy, isDamage, naming } from './sqlite-failure.ts'

/** A SQLite database in the place of another: what stands there, and whether it may be moved away. */

/** A database, and what SQLite keeps beside it while it is open or after it was killed. */
const ENDINGS = ['', '-wal', '-shm', '-journal']

const partsOf = (path: string): string[] => ENDINGS.map((end) => `${path}${end}`)

/** Deletes the database at `path`, if there is one. */
export function removeDatabase(path: string): void {
  for (const part of partsOf(path)) files.rmSync(part, { force: true })
}

/**
 * The path to which symbolic links at `path` lead. Throws `DatabaseRefused` when nothing is there, as
 * where a disk is not mounted: what is made in the place of the link would be on another one.
 */
export function followed(path: string): string {
  const link = files.lstatSync(path, { throwIfNoEntry: false })
  if (!link?.isSymbolicLink()) return path
  const next = resolve(files.realpathSync(dirname(path)), files.readlinkSync(path))
  const target = files.statSync(path, { throwIfNoEntry: false })
  if (!target) {
    throw new DatabaseRefused(
      `${path} is a symbolic link that leads to ${next}, which is not there. ` +
        'Look whether its disk is mounted, or remove the link.',
    )
  }
  // In a folder of their own, its user could put a link here for an administrator to follow.
  if (![0, process.getuid?.(), target.uid].includes(link.uid)) {
    throw new DatabaseRefused(
      `${path} is a symbolic link of another user than ${next}, to which it leads. Name that one.`,
    )
  }
  return followed(next)
}

/**
 * Throws `DatabaseRefused` when at `path` is what no copy of the database at `source` may replace:
 * something else than a file, or that database, by whatever name or link.
 */
export function refuseAsTarget(path: string, source: string): void {
  const target = files.statSync(path, { bigint: true, throwIfNoEntry: false })
  if (!target) return
  if (!target.isFile()) throw new DatabaseRefused(`${path} is not a file. Name one.`)
  for (const part of partsOf(files.realpathSync(source))) {
    const { dev, ino } = files.statSync(part, { bigint: true, throwIfNoEntry: false }) ?? {}
    if (dev === target.dev && ino === target.ino) {
      throw new DatabaseRefused(`${path} is the database itself. Name another file.`)
    }
  }
}

/**
 * Throws `DatabaseRefused` when of a database at `path` only what SQLite keeps beside it is there. A
 * process may have it open under another name, and writes on into that.
 */
export function refuseLeftOver(path: string): void {
  const [, ...besides] = partsOf(path)
  const left = besides.find((part) => files.existsSync(part))
  // Looked at afterwards: who makes a database makes its file first.
  if (left === undefined || files.existsSync(path)) return
  throw new DatabaseRefused(
    `${left} is there, but not ${path}. Was that moved away? What was written last is in ${left}. ` +
      `Stop the service, move the database back to ${path}, and try again. ` +
      `If it is gone, stop the service all the same, and move ${left} away too.`,
  )
}

/** Throws `DatabaseRefused` when a database, or what a killed process left of one, is at `path`. */
export function refuseIfThere(path: string): void {
  refuseLeftOver(path)
  const there = partsOf(path).find((part) => files.existsSync(part))
  if (there === undefined) return
  throw new DatabaseRefused(`${there} is there already. Give --force to put another in its place.`)
}

/**
 * Moves the database at `path`, if there is one, out of the way, and gives the new names of its
 * files. What a killed process left beside it must not stay: SQLite would take it for a part of the
 * next database there. Throws `DatabaseRefused` when a process has it open, whose writes would be lost.
 */
export function putAside(path: string): string[] {
  refuseLeftOver(path)
  if (files.existsSync(path)) makeSingle(path)
  // An index of the log, which SQLite makes anew.
  files.rmSync(`${path}-shm`, { force: true })
  const aside = `${path}.${new Date().toISOString().replaceAll(/[-:.]/g, '')}`
  // A rename would overwrite what is there without a word.
  refuseIfThere(aside)
  const moved: string[] = []
  for (const end of ENDINGS) {
    if (!files.existsSync(`${path}${end}`)) continue
    files.renameSync(`${path}${end}`, `${aside}${end}`)
    moved.push(`${aside}${end}`)
  }
  return moved
}

/** Brings all of a database into its one file, which only its last connection may do. */
export function makeSingle(path: string): void {
  const database = naming(path, () => new DatabaseSync(path))
  try {
    database.exec('pragma locking_mode = exclusive; pragma journal_mode = delete; begin exclusive')
  } catch (error) {
    if (isBusy(error)) throw new DatabaseRefused(`${path} is in use. Stop the service first.`)
    // A damaged database is often why another one is put in its place.
    if (!isDamage(error)) throw explained(error, path)
  } finally {
    database.close()
  }
}

/**
 * Gives the file at `path` the owner and group of `model`, and the mode where that is a file as well,
 * so that who could open that one can open this. Gives false where this process may not.
 */
export function giveTo(path: string, model: string): boolean {
  const wanted = files.statSync(model)
  // In a folder of their own, its user could put a link here for an administrator to follow.
  const { O_RDONLY, O_NOFOLLOW } = files.constants
  const descriptor = files.openSync(path, O_RDONLY | O_NOFOLLOW)
  try {
    files.fchownSync(descriptor, wanted.uid, wanted.gid)
    if (wanted.isFile()) files.fchmodSync(descriptor, wanted.mode & 0o777)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error
    return false
  } finally {
    files.closeSync(descriptor)
  }
}
