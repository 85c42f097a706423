// A disk that a test can fill to the last page, on Linux and as root.
import { execFileSync } from 'node:child_process'
import { statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { codeOf } from '../src/lib/code.ts'
import { directoryFor } from './hard/service.ts'

/** Runs a program for its effect; false where this machine does not allow it. */
export function may(program: string, ...parameters: string[]): boolean {
  try {
    execFileSync(program, parameters, { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

/** A small disk of its own, in memory; undefined where none may be mounted. */
export function smallDisk(t: TestContext): string | undefined {
  const directory = directoryFor(t, (directory) => may('umount', '--lazy', directory))
  return may('mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', directory) ? directory : undefined
}

/** Takes all the room that is left, to the last page. */
export function fill(path: string): void {
  for (let piece = 0; ; piece++) {
    const { bavail, bsize } = statfsSync(join(path, '..'))
    if (bavail === 0 && piece > 0) return
    try {
      writeFileSync(path, Buffer.alloc(Math.max(1, bavail) * bsize), { flag: 'a' })
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error
      if (piece > 20) return
    }
  }
}
