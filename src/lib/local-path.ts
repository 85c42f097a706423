import { Type } from 'typebox'

/** A search for 200 characters, each of four bytes that are escaped, takes 2,400. */
const NEXT_MAX = 4000

/** The field of a form or query that says where to go afterwards; only `localPath` makes it safe. */
export const Next = Type.Optional(Type.String({ maxLength: NEXT_MAX }))

/** What a path is read by. Any origin will do: it only shows whether a reference leaves it. */
export const HERE = 'http://here.invalid'

/** The value of that field that leads to `path`, or where that is too long, to `fallback`. */
export const nextTo = (path: string, fallback: string): string =>
  path.length <= NEXT_MAX ? path : fallback

/** Whoever is led there is signed out, by whatever spelling the server takes for it: with escapes, or a slash behind it. */
function signsOut(path: string): boolean {
  try {
    return /^\/logout\/?$/.test(decodeURIComponent(path))
  } catch {
    // What cannot be read leads nowhere.
    return false
  }
}

/**
 * The path that `text` names on this site, with its query, or `fallback` where it names anything
 * else: another origin by whatever spelling (`//host`, `/\host`, `https:`), or nothing. What a
 * browser would make of the text decides, by the same parser (WHATWG URL; CWE-601).
 */
export function localPath(text: string | undefined, fallback: string): string {
  if (!text?.startsWith('/') || !URL.canParse(text, HERE)) return fallback
  const { origin, pathname, search } = new URL(text, HERE)
  // `/.//host` is a path here, and another host where the path is read again.
  const isElsewhere = origin !== HERE || pathname.startsWith('//')
  return isElsewhere || signsOut(pathname) ? fallback : pathname + search
}
