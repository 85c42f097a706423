import { Type } from 'typebox'

/** The header by which a client may repeat a POST without doing it twice. */
export const IdempotencyKey = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: '^[!-~]+$',
    description:
      'A unique name that the client gives this request, such as a random UUID. The same key and body within 24 hours gets the first answer again.',
  }),
)
