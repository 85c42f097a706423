/** The query of a request's URL, without its question mark. Another one in it belongs to it (RFC 3986 §3.4). */
export function queryOf(url: string): string {
  const start = url.indexOf('?')
  return start < 0 ? '' : url.slice(start + 1)
}
