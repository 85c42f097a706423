import { isAbsolute, resolve } from 'node:path'

/** Where the data is, in words that hold no password. */
export function describe(url: string): string {
  const path = sqlitePath(url)
  if (path !== undefined) return path === ':memory:' ? 'memory' : path
  const { hostname, port, pathname } = new URL(url)
  return `PostgreSQL ${hostname}:${port || '5432'}${pathname}`
}

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
