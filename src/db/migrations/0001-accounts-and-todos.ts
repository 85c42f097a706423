import { type Kysely, type RawBuilder, sql } from 'kysely'
import { wordsOf } from '../dialect.ts'

/**
 * Accounts, their sign-ins and their todos. What a user owns has the owner first in its key, so
 * that a distributed PostgreSQL can keep each owner's rows together.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { integer, text, idAlone, ownedId, ownedKey } = wordsOf(db)

  const statements: RawBuilder<unknown>[] = [
    sql`create table users (
      id ${idAlone},
      email ${text} not null,
      email_key ${text} not null unique,
      password_hash ${text} not null,
      fname ${text} not null,
      lname ${text} not null,
      admin_since ${text},
      version ${integer} not null default 1,
      created_at ${text} not null,
      updated_at ${text} not null
    )`,

    sql`create table sessions (
      id ${ownedId},
      user_id ${integer} not null references users (id) on delete cascade,
      cookie_digest ${text} unique,
      created_at ${text} not null,
      expires_at ${text} not null,
      ${ownedKey('user_id')}
    )`,
    sql`create index sessions_expires_at on sessions (expires_at)`,

    sql`create table refresh_tokens (
      token_digest ${text} not null primary key,
      user_id ${integer} not null,
      session_id ${integer} not null,
      created_at ${text} not null,
      expires_at ${text} not null,
      spent_at ${text},
      foreign key (user_id, session_id) references sessions (user_id, id) on delete cascade
    )`,
    sql`create index refresh_tokens_session on refresh_tokens (user_id, session_id)`,

    sql`create table sign_in_failures (
      subject ${text} not null primary key,
      failures ${integer} not null,
      window_ends_at ${text} not null
    )`,
    sql`create index sign_in_failures_window on sign_in_failures (window_ends_at)`,

    sql`create table idempotency_keys (
      user_id ${integer} not null references users (id) on delete cascade,
      key ${text} not null,
      fingerprint ${text} not null,
      answer ${text} not null,
      created_at ${text} not null,
      primary key (user_id, key)
    )`,
    sql`create index idempotency_keys_created_at on idempotency_keys (created_at)`,

    sql`create table todos (
      id ${ownedId},
      owner_id ${integer} not null references users (id) on delete cascade,
      text ${text} not null,
      text_key ${text} not null,
      sort_key ${text} not null,
      completed_at ${text},
      version ${integer} not null default 1,
      created_at ${text} not null,
      updated_at ${text} not null,
      ${ownedKey('owner_id')}
    )`,
    // One index for each order of the list, and for the open and the completed ones alone.
    sql`create index todos_created_at on todos (owner_id, created_at, id)`,
    sql`create index todos_updated_at on todos (owner_id, updated_at, id)`,
    sql`create index todos_sort_key on todos (owner_id, sort_key, id)`,
    sql`create index todos_open on todos (owner_id, id) where completed_at is null`,
    sql`create index todos_completed on todos (owner_id, id) where completed_at is not null`,
  ]
  for (const statement of statements) await statement.execute(db)
}
