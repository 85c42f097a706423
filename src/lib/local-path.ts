import { Type } from 'typebox'

/** The field of a form or query that says where to go afterwards; only `localPath` makes it safe. */
export const Next = Type.Optional(Type.String({ maxLength: 2000 }))

/** Any origin will do: it only shows whether a reference leaves it. */
const HERE = 'http://here.invalid'

/**
 * The path that `text` names on this site, with its query, or `fallback` where it names anything
 * else: another origin by whatever spelling (`//host`, `/\host`, `https:`), or nothing. What a
 * browser would make of the text decides, by the same parser (WHATWG URL; CWE-601).
 */
export function localPath(text: string | undefined, fallback: string): string {
  if (!text?.startsWith('/') || !URL.canParse(text, HERE)) return fallback
  const { origin, pathname, search } = new URL(text, HERE)
  // `/.//host` is a path here, and another host where the path is read again.
  return origin === HERE && !pathname.startsWith('//') ? pathname + search : fallback
}
