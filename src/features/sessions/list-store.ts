import type { Selectable } from 'kysely'
import { countOf } from '../../db/queries.ts'
import type { Db, Tables } from '../../db/tables.ts'
import { now } from '../../lib/time.ts'

export type ListedSession = Pick<
  Selectable<Tables['sessions']>,
  'id' | 'user_agent' | 'address' | 'created_at' | 'last_used_at' | 'expires_at'
> & { readonly is_browser: boolean }

const within = (db: Db, userId: number) =>
  db.selectFrom('sessions').where('user_id', '=', userId).where('expires_at', '>', now())

/**
 * Of those within their limit the ones that can go on: of a browser that was used since `idleSince`, and of an API client
 * whose refresh token is good.
 */
const active = (db: Db, userId: number, idleSince: string) =>
  within(db, userId).where(({ and, eb, exists, or, selectFrom }) =>
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

const columns = [
  'id',
  'cookie_digest',
  'user_agent',
  'address',
  'created_at',
  'last_used_at',
  'expires_at',
] as const

const listed = ({
  cookie_digest,
  ...session
}: Omit<ListedSession, 'is_browser'> & { cookie_digest: string | null }): ListedSession => ({
  ...session,
  is_browser: cookie_digest !== null,
})

/** The sessions of a user that are within their limit, by id, `limit` of those after the one with `id`. */
export async function listAfter(
  db: Db,
  userId: number,
  id: number,
  limit: number,
): Promise<ListedSession[]> {
  const rows = await within(db, userId)
    .select(columns)
    .where('id', '>', id)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(listed)
}

/** The session `currentId` first, and then the ones used last: `limit` of all that can go on. */
export async function listActive(
  db: Db,
  userId: number,
  idleSince: string,
  { currentId, limit }: { readonly currentId: number; readonly limit: number },
): Promise<ListedSession[]> {
  const rows = await active(db, userId, idleSince)
    .select(columns)
    .orderBy(({ eb }) => eb('id', '=', currentId), 'desc')
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(listed)
}

/** How many sessions of a user can go on. */
export const countActive = (db: Db, userId: number, idleSince: string): Promise<number> =>
  countOf(active(db, userId, idleSince))
