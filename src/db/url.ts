import { isAbsolute, resolve } from 'node:path'

/**
 * The file that a SQLite URL names, undefined for another kind of URL. The form is SQLAlchemy's:
 * `sqlite:///relative/to/here`, `sqlite:////absolute`, `sqlite://` for memory.
 */
export function sqlitePath(url: string): string | undefined {
  const match = /^sqlite:\/\/(?:\/(.+))?$/.exec(url)
  if (!match) return undefined
  const [, path] = match
  if (path === undefined || path === ':memory:') return ':memory:'
  return isAbsolute(path) ? path : resolve(path)
}

/** The same where it is a file; undefined for a database in memory too. */
export function sqliteFile(url: string): string | undefined {
  const path = sqlitePath(url)
  return path === ':memory:' ? undefined : path
}
