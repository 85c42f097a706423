import { Type } from 'typebox'

/** The header by which a client may repeat a POST without doing it twice. */
export const IdempotencyKey = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: '^[!-~]+$',
    description:
      'A unique name that the client gives this request. The same key and body within 24 hours gets the first answer again.',
    examples: ['3f0a1c52-7d0e-4ad6-9d51-0d54a8e8b1c7'],
  }),
)
