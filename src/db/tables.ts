import type { Generated, Kysely, Selectable } from 'kysely'

/**
 * Every table on one screen. Times are RFC 3339 UTC text (`lib/time.ts`), so they sort as text and
 * leave by the API as they are. A `_key` column is folded text (`lib/text.ts`) for comparing.
 */
export interface Tables {
  users: UsersTable
  sessions: SessionsTable
  refresh_tokens: RefreshTokensTable
  sign_in_failures: SignInFailuresTable
  sign_in_places: SignInPlacesTable
  idempotency_keys: IdempotencyKeysTable
  todos: TodosTable
  todo_counts: TodoCountsTable
}

/** What every query starts from: the whole database, or one transaction on it. */
export type Db = Kysely<Tables>

interface UsersTable {
  id: Generated<number>
  email: string
  email_key: string
  password_hash: string
  fname: string
  lname: string
  /** Since when this user is an administrator; null for everyone else. */
  admin_since: string | null
  /** Counts the changes; part of the entity tags of what nests this user. */
  version: Generated<number>
  created_at: string
  updated_at: string
}
export type UserRow = Selectable<UsersTable>

/** One sign-in: of an API client, or of a browser (which then has a cookie). Ended means deleted. */
interface SessionsTable {
  id: Generated<number>
  user_id: number
  /** The digest of the browser's cookie; null where the client holds tokens. */
  cookie_digest: string | null
  /** What the client called itself when it signed in, and the network address it came from. */
  user_agent: string | null
  address: string | null
  created_at: string
  /** To within five minutes for a browser; of a client with tokens, its last refresh. */
  last_used_at: string
  expires_at: string
}

/** The refresh tokens of a session, spent ones too, so that a second use is noticed. */
interface RefreshTokensTable {
  token_digest: string
  user_id: number
  session_id: number
  created_at: string
  expires_at: string
  spent_at: string | null
}

/** Counts the failed sign-ins of an address, of an address or a browser at an account, or of many addresses at an account. */
interface SignInFailuresTable {
  subject: string
  failures: number
  /** Attempts whose password is being looked at, on any process; of one that was killed until the window is over. */
  under_way: Generated<number>
  window_ends_at: string
}

/** From which addresses, and with which browsers, each user signed in. */
interface SignInPlacesTable {
  user_id: number
  place_digest: string
  last_used_at: string
}

interface IdempotencyKeysTable {
  user_id: number
  key: string
  /** A digest of the operation and the body that came with the key first. */
  fingerprint: string
  /** The first answer, as JSON; empty as long as there is none. */
  answer: string
  created_at: string
}

interface TodosTable {
  id: Generated<number>
  owner_id: number
  text: string
  /** The text folded, which search compares. */
  text_key: string
  /** The start of the text folded, which sorting compares. */
  sort_key: string
  completed_at: string | null
  /** Counts the changes; the entity tag is made of it. */
  version: Generated<number>
  created_at: string
  updated_at: string
}
export type TodoRow = Selectable<TodosTable>

/** How many todos a user has: derived from `todos`, and changed in the same transaction. */
interface TodoCountsTable {
  owner_id: number
  open: number
  completed: number
}

type TableWithKey = {
  [Name in keyof Tables]: { readonly name: Name; readonly key: ReadonlyArray<keyof Tables[Name]> }
}[keyof Tables]

/** Every table that is written, each after those that it refers to, with the key by which a row is known. */
export const tables = [
  { name: 'users', key: ['id'] },
  { name: 'sessions', key: ['user_id', 'id'] },
  { name: 'refresh_tokens', key: ['token_digest'] },
  { name: 'sign_in_failures', key: ['subject'] },
  { name: 'sign_in_places', key: ['user_id', 'place_digest'] },
  { name: 'idempotency_keys', key: ['user_id', 'key'] },
  { name: 'todos', key: ['owner_id', 'id'] },
] as const satisfies readonly TableWithKey[]

export const tableNames = tables.map(({ name }) => name)

/** The tables that follow from the others: a copy makes them anew. */
export const derivedTableNames = ['todo_counts'] as const satisfies ReadonlyArray<keyof Tables>
