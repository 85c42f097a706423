import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { codeOf } from '../lib/code.ts'
import { ConfigurationError } from './read-environment.ts'

/** A variable, a comment, or nothing. */
const UNDERSTOOD = /^\s*((export\s+)?[A-Za-z_][\w.-]*\s*=|#|$)/

/** What no line that is understood names. */
const MARK = '?'

/**
 * The variables of a file `.env` here; none where there is no such file. Throws `ConfigurationError` for a line that
 * Node would pass over, since a key or a database that it was to name would be another one.
 */
export function readDotEnv(): NodeJS.ProcessEnv {
  let text: string
  try {
    // Editors of Windows begin a file with a byte order mark, which would be part of the first name.
    text = readFileSync('.env', 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {}
    throw new ConfigurationError([`.env: ${String(error)}`])
  }
  const lines = text.split('\n')
  const faults = lines.flatMap((line, index) =>
    UNDERSTOOD.test(line) || isWithinValue(lines, index)
      ? []
      : // Not the line itself, which may hold a secret.
        [`.env: line ${index + 1} is neither NAME=value nor a comment, which begins with #`],
  )
  if (faults.length > 0) throw new ConfigurationError(faults)
  return parseEnv(text)
}

/** Whether a line goes on with a value in quotes, as the parser has it: what is put before it is no variable then. */
const isWithinValue = (lines: readonly string[], index: number): boolean =>
  !(MARK in parseEnv(lines.toSpliced(index, 0, `${MARK}=1`).join('\n')))
