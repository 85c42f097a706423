import { createSigner } from 'fast-jwt'
import { sql } from 'kysely'
import type { Db } from '../src/db/tables.ts'
import { makeContent } from './data/content.ts'
import { CALLERS, cookieOf, count, PASSWORD } from './data/load.ts'
import type { Load, Request, Tickable } from './load/types.ts'
import { SECRET_KEY } from './systems.ts'

const TODOS = '/api/v1/todos'
const sign = createSigner({ key: SECRET_KEY, algorithm: 'HS256', expiresIn: 86_400_000 })

export const bearerOf = (id: number) => ({
  Authorization: `Bearer ${sign({ sub: String(id), sid: id })}`,
})
const cookie = (id: number) => ({ Cookie: `session=${cookieOf(id)}` })

const BUSY = 1
const callers = Array.from({ length: CALLERS }, (_, index) => index + 2)
const get = (path: string, headers: Record<string, string>): Request => ({
  method: 'GET',
  path,
  headers,
})

export interface Work {
  readonly name: string
  readonly load: (db: Db) => Promise<Omit<Load, 'duration'>>
  /** Whether the ceiling and the peers do it too. */
  readonly isCommon: boolean
  /** Whether it adds rows, which must go before the next work. */
  readonly isAdding?: true
}

/** Some todos of the callers, always the same, as they are now. */
async function someTodos(db: Db) {
  return db
    .selectFrom('todos')
    .select(['id', 'owner_id', 'version', 'completed_at'])
    .where('owner_id', 'in', callers)
    .orderBy('id')
    .limit(2000)
    .execute()
}

const creates: Request[] = callers.map((id) => ({
  method: 'POST',
  path: TODOS,
  headers: { ...bearerOf(id), 'Content-Type': 'application/json' },
  body: JSON.stringify({ text: 'Call the dentist about Thursday' }),
}))
const lists = callers.map((id) => get(TODOS, bearerOf(id)))

async function ones(db: Db): Promise<Request[]> {
  return (await someTodos(db)).map(({ id, owner_id }) => get(`${TODOS}/${id}`, bearerOf(owner_id)))
}

async function ticks(db: Db): Promise<Tickable[]> {
  return (await someTodos(db)).map(({ id, owner_id, version, completed_at }) => ({
    path: `${TODOS}/${id}`,
    headers: bearerOf(owner_id),
    version,
    completed: completed_at !== null,
  }))
}

/** Words that a third of the todos have, rarer ones, and one that none has. */
const needles = (): string[] => {
  const { words } = makeContent(1000)
  return [0, 3, 10, 30, 100, 300, 1000, 3000].map((rank) => words[rank] ?? '').concat('zzzqqq')
}

/** Deep in the large list: how many are before, and the todo just before the page. */
async function depth(db: Db): Promise<{ offset: number; after: number }> {
  const { open, completed } = await db
    .selectFrom('todo_counts')
    .select(['open', 'completed'])
    .where('owner_id', '=', BUSY)
    .executeTakeFirstOrThrow()
  const offset = open + completed - 20
  const { rows } = await sql<{ id: number }>`
    select id from todos where owner_id = ${BUSY} order by id limit 1 offset ${offset - 1}`.execute(
    db,
  )
  return { offset, after: rows[0]?.id ?? 0 }
}

/** The same place for our cursor and for a peer's plain one. */
async function deepCursor(db: Db): Promise<Request[]> {
  const { after } = await depth(db)
  const cursor = { sort: 'id', direction: 'after', key: '', id: after }
  const encoded = Buffer.from(JSON.stringify(cursor)).toString('base64url')
  return [get(`${TODOS}?cursor=${encoded}`, bearerOf(BUSY))]
}

const mixed = (reads: readonly Request[]): Request[] =>
  creates.flatMap((create, index) => [
    ...Array.from({ length: 9 }, (_, turn) => reads[(index * 9 + turn) % reads.length] ?? create),
    create,
  ])

export const listByBearer: Work = {
  name: 'list of 10, bearer',
  isCommon: true,
  load: async () => ({ connections: 32, requests: lists }),
}
export const deepestByCursor: Work = {
  name: 'deepest page by cursor',
  isCommon: true,
  load: async (db) => ({ connections: 32, requests: await deepCursor(db) }),
}
export const oneTodo: Work = {
  name: 'one todo',
  isCommon: true,
  load: async (db) => ({ connections: 32, requests: await ones(db) }),
}
export const create: Work = {
  name: 'create',
  isCommon: true,
  isAdding: true,
  load: async () => ({ connections: 32, requests: creates }),
}
export const search: Work = {
  name: 'search in the large list, 1 connection',
  isCommon: true,
  load: async () => ({
    connections: 1,
    requests: needles().map((needle) => get(`${TODOS}?q=${needle}`, bearerOf(BUSY))),
  }),
}
export const signIn: Work = {
  name: 'sign-in',
  isCommon: false,
  isAdding: true,
  load: async () => ({
    connections: 8,
    requests: callers.map((id) => ({
      method: 'POST' as const,
      path: '/auth/token',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        username: `person${id}@example.com`,
        password: PASSWORD,
      }).toString(),
    })),
  }),
}
const mix: Work = {
  name: '90 % reads, 10 % creates, 256 connections',
  isCommon: true,
  isAdding: true,
  load: async (db) => ({
    connections: 256,
    requests: mixed([...lists, ...(await ones(db)).slice(0, 200)]),
  }),
}

export const works: readonly Work[] = [
  listByBearer,
  {
    name: 'list of 10, session cookie',
    isCommon: true,
    load: async () => ({ connections: 32, requests: callers.map((id) => get(TODOS, cookie(id))) }),
  },
  oneTodo,
  create,
  {
    name: 'tick (PATCH, If-Match)',
    isCommon: true,
    load: async (db) => ({ connections: 32, ticks: await ticks(db) }),
  },
  search,
  deepestByCursor,
  {
    name: 'deepest page by offset',
    isCommon: true,
    load: async (db) => {
      const { offset } = await depth(db)
      return { connections: 8, requests: [get(`${TODOS}?offset=${offset}`, bearerOf(BUSY))] }
    },
  },
  mix,
  {
    name: 'first paint of /home',
    isCommon: false,
    load: async () => ({
      connections: 32,
      requests: callers.map((id) => get('/home', cookie(id))),
    }),
  },
  signIn,
]

/** Takes away what was added to a data set of `size` todos, so that no work has longer lists than another. */
export async function forget(db: Db, size: number, isSqlite: boolean): Promise<void> {
  await db.deleteFrom('todos').where('id', '>', size).execute()
  await db
    .deleteFrom('sessions')
    .where('id', '>', CALLERS + 1)
    .execute()
  await db.deleteFrom('todo_counts').where('owner_id', 'in', callers).execute()
  await sql.raw(count(`where owner_id in (${callers.join()})`)).execute(db)
  if (!isSqlite) await sql`vacuum analyze todos, todo_counts, sessions`.execute(db)
}
