import { type Static, Type } from 'typebox'
import { closed, verbatim } from '../../lib/shapes.ts'
import { Email, Password } from '../users/schema.ts'

/** Whatever may be an account's e-mail address; what is none opens nothing. */
export const Username = verbatim({
  minLength: 1,
  maxLength: Email.maxLength,
  description: 'The e-mail address.',
  examples: ['ann@example.com'],
})

/**
 * The form of RFC 6749 §4.3.2 and §6. One shape for both grants, since a form has no better way;
 * which fields a grant needs, the route checks.
 */
export const TokenRequest = closed(
  {
    grant_type: Type.Optional(
      Type.Enum(['password', 'refresh_token'], { description: 'Absent means password.' }),
    ),
    username: Type.Optional(Username),
    password: Type.Optional(Password),
    refresh_token: Type.Optional(
      verbatim({ minLength: 1, maxLength: 1024, format: 'password', writeOnly: true }),
    ),
    scope: Type.Optional(Type.String({ maxLength: 200, description: 'Accepted and not used.' })),
    client_id: Type.Optional(
      Type.String({ maxLength: 200, description: 'Accepted and not used.' }),
    ),
    client_secret: Type.Optional(
      Type.String({ maxLength: 200, description: 'Accepted and not used.' }),
    ),
  },
  { title: 'TokenRequest' },
)
export type TokenRequest = Static<typeof TokenRequest>

export const Tokens = closed(
  {
    access_token: Type.String(),
    token_type: Type.Literal('bearer'),
    expires_in: Type.Integer({
      description: 'Seconds for which the access token is good.',
      examples: [900],
    }),
    refresh_token: Type.String({ description: 'Good once, for the next pair of tokens.' }),
    scope: Type.String(),
  },
  { title: 'Tokens' },
)
export type Tokens = Static<typeof Tokens>

export const RevokeRequest = closed(
  {
    token: Type.String({
      minLength: 1,
      maxLength: 4096,
      description: 'A refresh token or an access token.',
    }),
    token_type_hint: Type.Optional(Type.String({ maxLength: 40 })),
    client_id: Type.Optional(Type.String({ maxLength: 200 })),
    client_secret: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { title: 'RevokeRequest' },
)
