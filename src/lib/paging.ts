import { type TInteger, type TOptional, Type } from 'typebox'
import { queryOf } from './query.ts'
import { MAX_INTEGER } from './shapes.ts'

export interface PageSizes {
  readonly usual: number
  readonly max: number
}

/** The fields of a query that asks for a page by its place. */
export const pageQuery = ({
  usual,
  max,
}: PageSizes): { offset: TOptional<TInteger>; limit: TInteger } => ({
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_INTEGER,
      description: 'How many to leave out before the page.',
    }),
  ),
  limit: Type.Integer({
    minimum: 1,
    maximum: max,
    default: usual,
    description: 'How many to give at most.',
  }),
})

export const TotalCount = Type.Integer({ description: 'How many there are on all pages together.' })

/** Of the list at `path`. */
export const linkHeader = (path: string) =>
  Type.String({
    description: 'The pages around this one: first, prev, next (RFC 8288).',
    examples: [`<${path}?limit=10>; rel="first"`],
  })

/** For each relation, the query fields that lead there; undefined takes a field away. */
export type Relations = Readonly<
  Record<string, Readonly<Record<string, string | number | undefined>>>
>

/** The `Link` header for pages of the list at `url`, whose other query fields stay (RFC 8288). */
export function links(url: string, relations: Relations): string {
  // Nothing that a client wrote behind the path gets in, be it a fragment that has no place there.
  const [path = '/'] = url.split(/[?#]/, 1)
  return Object.entries(relations)
    .map(([relation, fields]) => {
      const parameters = new URLSearchParams(queryOf(url))
      for (const [name, value] of Object.entries(fields)) {
        if (value === undefined) parameters.delete(name)
        else parameters.set(name, String(value))
      }
      const search = parameters.toString()
      return `<${path}${search && `?${search}`}>; rel="${relation}"`
    })
    .join(', ')
}

/** The relations of a page that was asked for by its offset. */
export function offsetLinks({
  offset,
  limit,
  total,
}: {
  offset: number
  limit: number
  total: number
}): Relations {
  return {
    first: { offset: 0 },
    ...(offset > 0 ? { prev: { offset: Math.max(0, Math.min(offset, total) - limit) } } : {}),
    ...(offset + limit < total ? { next: { offset: offset + limit } } : {}),
  }
}
