import type { RawBuilder } from 'kysely'
import { isSqlite } from '../../db/dialect.ts'
import { type Placeholder, prepared } from '../../db/prepared.ts'
import type { Db } from '../../db/tables.ts'
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
    .select('sessions.created_at')
    .where('sessions.user_id', '=', value('userId'))
    .where('sessions.id', '=', value('id')),
)

/**
 * Whether a session is the one that began in the second `beganAt`, such as `2026-12-01T12:30:00`. Where that is not
 * known, its ids have to do.
 */
export const hasBegunAt = (
  { created_at }: { readonly created_at: string },
  beganAt: string | undefined,
): boolean => beganAt === undefined || created_at.startsWith(beganAt)

/** The user of a session that has neither ended nor run out, and began in that second, where one is given. */
export async function findUser(
  db: Db,
  userId: number,
  id: number,
  beganAt?: string,
): Promise<SessionUser | undefined> {
  const [row] = await byId(db, { userId, id, at: now() })
  return row && hasBegunAt(row, beganAt) ? shown(row) : undefined
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
  readonly created_at: string
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
    .returning(['id', 'user_id', 'created_at', 'expires_at'])
    .executeTakeFirstOrThrow()
}

const within = (db: Db, userId: number, id: number) =>
  db
    .selectFrom('sessions')
    .select(['id', 'user_id', 'created_at', 'expires_at'])
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .where('expires_at', '>', now())

export async function find(db: Db, userId: number, id: number): Promise<Session | undefined> {
  return within(db, userId, id).executeTakeFirst()
}

/**
 * A session that is within its limit, which stays until the transaction ends. To be held before its tokens are
 * written: who ends a session takes it first too and then its tokens, and in another order one of two must fail.
 */
export async function hold(db: Db, userId: number, id: number): Promise<Session | undefined> {
  return (
    within(db, userId, id)
      // A transaction of SQLite's holds all.
      .$if(!isSqlite(db), (sessions) => sessions.forNoKeyUpdate())
      .executeTakeFirst()
  )
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

/** Spends a token that is unspent and not too old, and says whether it did. Of two callers at once, one gets it. */
export async function spendRefreshToken(db: Db, digest: string): Promise<boolean> {
  const spent = await db
    .updateTable('refresh_tokens')
    .set({ spent_at: now() })
    .where('token_digest', '=', digest)
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now())
    .returning('token_digest')
    .executeTakeFirst()
  return spent !== undefined
}

export async function findRefreshToken(db: Db, digest: string) {
  return db
    .selectFrom('refresh_tokens')
    .selectAll()
    .where('token_digest', '=', digest)
    .executeTakeFirst()
}

/**
 * Deletes what ran out: sessions with their tokens, and tokens. What others have locked is left for the next time:
 * they may want the same rows in another order, and then one of two must fail.
 */
export async function purge(db: Db): Promise<void> {
  const isLocking = !isSqlite(db)
  const ended = db
    .selectFrom('sessions')
    .select(['user_id', 'id'])
    .where('expires_at', '<=', now())
    .$if(isLocking, (sessions) => sessions.forUpdate().skipLocked())
  await db
    .deleteFrom('sessions')
    .where(({ eb, refTuple }) =>
      eb(refTuple('user_id', 'id'), 'in', ended.$asTuple('user_id', 'id')),
    )
    .execute()
  const old = db
    .selectFrom('refresh_tokens')
    .select('token_digest')
    .where('expires_at', '<=', now())
    .$if(isLocking, (tokens) => tokens.forUpdate().skipLocked())
  await db.deleteFrom('refresh_tokens').where('token_digest', 'in', old).execute()
}
