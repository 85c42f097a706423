import type { RawBuilder, Selectable } from 'kysely'
import { type Placeholder, prepared } from '../../db/prepared.ts'
import type { Db, Tables } from '../../db/tables.ts'
import { now } from '../../lib/time.ts'

/** A session's user, as access needs them. */
interface SessionUser {
  readonly id: number
  readonly is_admin: boolean
  readonly version: number
  readonly session_id: number
}

const live = (db: Db, at: RawBuilder<string>) =>
  db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id', 'users.admin_since', 'users.version', 'sessions.id as session_id'])
    .where('sessions.expires_at', '>', at)

const shown = ({
  id,
  admin_since,
  version,
  session_id,
}: {
  admin_since: string | null
  id: number
  version: number
  session_id: number
}): SessionUser => ({ id, version, session_id, is_admin: admin_since !== null })

const byId = prepared((db, value: Placeholder<{ userId: number; id: number; at: string }>) =>
  live(db, value('at'))
    .where('sessions.user_id', '=', value('userId'))
    .where('sessions.id', '=', value('id')),
)

/** The user of a session that has neither ended nor run out. */
export async function findUser(
  db: Db,
  userId: number,
  id: number,
): Promise<SessionUser | undefined> {
  const [row] = await byId(db, { userId, id, at: now() })
  return row && shown(row)
}

const byCookie = prepared(
  (db, value: Placeholder<{ cookieDigest: string; idleSince: string; at: string }>) =>
    live(db, value('at'))
      .select('sessions.last_used_at')
      .where('sessions.cookie_digest', '=', value('cookieDigest'))
      .where('sessions.last_used_at', '>', value('idleSince')),
)

/** The user of a browser's session that was used since `idleSince`, and when it was used last. */
export async function findUserByCookie(
  db: Db,
  cookieDigest: string,
  idleSince: string,
): Promise<(SessionUser & { readonly last_used_at: string }) | undefined> {
  const [row] = await byCookie(db, { cookieDigest, idleSince, at: now() })
  return row && { ...shown(row), last_used_at: row.last_used_at }
}

export async function noteUse(db: Db, userId: number, id: number): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ last_used_at: now() })
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .execute()
}

export interface Session {
  readonly id: number
  readonly user_id: number
  readonly expires_at: string
}

interface NewSession {
  readonly user_id: number
  readonly expires_at: string
  readonly cookie_digest: string | null
  readonly user_agent: string | null
  readonly address: string | null
}

export async function create(db: Db, session: NewSession): Promise<Session> {
  const at = now()
  return db
    .insertInto('sessions')
    .values({ ...session, created_at: at, last_used_at: at })
    .returning(['id', 'user_id', 'expires_at'])
    .executeTakeFirstOrThrow()
}

export type ListedSession = Pick<
  Selectable<Tables['sessions']>,
  'id' | 'user_agent' | 'address' | 'created_at' | 'last_used_at' | 'expires_at'
> & { readonly is_browser: boolean }

const ofUser = (db: Db, userId: number) =>
  db
    .selectFrom('sessions')
    .select([
      'id',
      'cookie_digest',
      'user_agent',
      'address',
      'created_at',
      'last_used_at',
      'expires_at',
    ])
    .where('user_id', '=', userId)
    .where('expires_at', '>', now())
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')

const listed = ({
  cookie_digest,
  ...session
}: Omit<ListedSession, 'is_browser'> & { cookie_digest: string | null }): ListedSession => ({
  ...session,
  is_browser: cookie_digest !== null,
})

/** The sessions of a user that are within their limit, the one used last first. */
export async function list(db: Db, userId: number): Promise<ListedSession[]> {
  const rows = await ofUser(db, userId).execute()
  return rows.map(listed)
}

/**
 * Of those the ones that can go on: of a browser that was used since `idleSince`, and of an API client
 * whose refresh token is good.
 */
export async function listActive(
  db: Db,
  userId: number,
  idleSince: string,
): Promise<ListedSession[]> {
  const rows = await ofUser(db, userId)
    .where(({ and, eb, exists, or, selectFrom }) =>
      or([
        and([eb('cookie_digest', 'is not', null), eb('last_used_at', '>', idleSince)]),
        exists(
          selectFrom('refresh_tokens')
            .select('token_digest')
            .where('refresh_tokens.user_id', '=', userId)
            .whereRef('refresh_tokens.session_id', '=', 'sessions.id')
            .where('refresh_tokens.spent_at', 'is', null)
            .where('refresh_tokens.expires_at', '>', now()),
        ),
      ]),
    )
    .execute()
  return rows.map(listed)
}

export async function find(db: Db, userId: number, id: number): Promise<Session | undefined> {
  return db
    .selectFrom('sessions')
    .select(['id', 'user_id', 'expires_at'])
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .where('expires_at', '>', now())
    .executeTakeFirst()
}

/** Ends a session; its tokens end with it. */
export async function remove(db: Db, userId: number, id: number): Promise<void> {
  await db.deleteFrom('sessions').where('user_id', '=', userId).where('id', '=', id).execute()
}

export async function removeByCookie(db: Db, cookieDigest: string): Promise<void> {
  await db.deleteFrom('sessions').where('cookie_digest', '=', cookieDigest).execute()
}

/** Ends every session of a user, except the one that is named. */
export async function removeAll(db: Db, userId: number, except?: number): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where('user_id', '=', userId)
    .$if(except !== undefined, (sessions) => sessions.where('id', '!=', except ?? 0))
    .execute()
}

interface RefreshToken {
  readonly token_digest: string
  readonly user_id: number
  readonly session_id: number
  readonly expires_at: string
}

export async function createRefreshToken(db: Db, token: RefreshToken): Promise<void> {
  await db
    .insertInto('refresh_tokens')
    .values({ ...token, created_at: now(), spent_at: null })
    .execute()
}

/** Spends a token that is unspent and not too old. Of two callers at once, one gets it. */
export async function spendRefreshToken(db: Db, digest: string): Promise<RefreshToken | undefined> {
  return db
    .updateTable('refresh_tokens')
    .set({ spent_at: now() })
    .where('token_digest', '=', digest)
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now())
    .returning(['token_digest', 'user_id', 'session_id', 'expires_at'])
    .executeTakeFirst()
}

export async function findRefreshToken(db: Db, digest: string) {
  return db
    .selectFrom('refresh_tokens')
    .selectAll()
    .where('token_digest', '=', digest)
    .executeTakeFirst()
}

/** Deletes what ran out: sessions with their tokens, and tokens. */
export async function purge(db: Db): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<=', now()).execute()
  await db.deleteFrom('refresh_tokens').where('expires_at', '<=', now()).execute()
}
