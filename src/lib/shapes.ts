import { type Static, type TProperties, Type } from 'typebox'

/**
 * Building blocks of the schemas that say what goes in and out. A schema with a `title` in
 * PascalCase becomes a named component of the OpenAPI document.
 */

/** The largest integer that JSON carries exactly between all common clients (RFC 8259 §6). */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER

/** An object that refuses fields it does not name. */
export const closed = <Properties extends TProperties>(
  properties: Properties,
  options: { title?: string; description?: string; examples?: object[] } = {},
) => Type.Object(properties, { ...options, additionalProperties: false })

export const Id = Type.Integer({ minimum: 1, maximum: MAX_INTEGER, examples: [1] })

/** RFC 3339 in UTC with milliseconds, for example `2026-01-31T12:00:00.000Z`. */
export const Time = Type.String({ format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] })

interface LineOptions {
  minLength: number
  maxLength: number
  description?: string
  examples?: string[]
}

/** Text that is trimmed before its length, in Unicode characters, is checked. */
export const trimmed = (options: LineOptions) => verbatim({ ...options, 'x-trim': true })

/** Text that is kept to the letter. */
export const verbatim = (
  options: LineOptions & { format?: string; writeOnly?: boolean; 'x-trim'?: true },
) => Type.With(Type.String(), { ...options, 'x-storable': true })

export const Fault = closed(
  {
    loc: Type.Array(Type.Union([Type.String(), Type.Integer()]), {
      description: 'The place: body, query, path or header, then the field.',
      examples: [['body', 'text']],
    }),
    msg: Type.String({ examples: ['must have at least 1 character'] }),
    type: Type.String({ examples: ['too_short'] }),
  },
  { title: 'Fault' },
)

export const ProblemBody = closed(
  {
    type: Type.String({ format: 'uri-reference', examples: ['about:blank'] }),
    title: Type.String({ examples: ['Not Found'] }),
    status: Type.Integer({ examples: [404] }),
    detail: Type.String({ examples: ['Todo not found'] }),
    instance: Type.Optional(
      Type.String({
        format: 'uri-reference',
        examples: ['/auth/me'],
        description: 'The path; absent where the request could not be read as far as that.',
      }),
    ),
    request_id: Type.String({ examples: ['0b0e7c0e-3d0a-4c39-9d9f-0d1c62f6a3b1'] }),
    errors: Type.Optional(Type.Array(Fault)),
    error: Type.Optional(
      Type.String({ description: 'From /auth/token and /auth/revoke: the code of RFC 6749 §5.2.' }),
    ),
    error_description: Type.Optional(Type.String({ description: 'Beside `error`: the detail.' })),
  },
  { title: 'Problem', description: 'What went wrong (RFC 9457).' },
)
export type ProblemBody = Static<typeof ProblemBody>
