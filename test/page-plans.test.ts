// How the databases read a page of a list: within its order where the list is long, whatever they expect of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompiledQuery, sql } from 'kysely'
import { PLAN_ONCE } from '../src/db/postgresql-planning.ts'
import { isPrepared } from '../src/db/prepared.ts'
import { countTodos } from '../src/db/queries.ts'
import type { Db } from '../src/db/tables.ts'
import { link, SORTS } from './list-pages.ts'
import { addMany } from './many-todos.ts'
import { isPostgresql, type Person, type World, world } from './world.ts'

const TODOS = '/api/v1/todos'
const FILTERS = ['', '&completed=true', '&completed=false']

const IN_ORDER = isPostgresql ? /Index Scan/ : /SEARCH todos USING INDEX/
const SORTED = isPostgresql ? /Sort/ : /TEMP B-TREE/

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`)

/** The statements for pages that `ask` has the service send. */
async function pagesOf(
  { statements }: World,
  ask: () => Promise<unknown>,
): Promise<CompiledQuery[]> {
  const before = statements().length
  await ask()
  return statements()
    .slice(before)
    .filter(({ sql: text }) => text.includes(' limit '))
}

/** How the database runs it, in its own words. What PostgreSQL plans once it plans for any values. */
async function planOf(db: Db, query: CompiledQuery): Promise<string> {
  const { sql: text, parameters } = query
  if (isPostgresql && isPrepared(query) && query.isBrief) return planForAny(db, query)
  const explain = isPostgresql ? 'explain' : 'explain query plan'
  const { rows } = await db.executeQuery(CompiledQuery.raw(`${explain} ${text}`, [...parameters]))
  return JSON.stringify(rows)
}

const planForAny = (db: Db, { sql: text, parameters }: CompiledQuery): Promise<string> =>
  db.transaction().execute(async (db) => {
    for (const setting of PLAN_ONCE.split('; ')) {
      await db.executeQuery(CompiledQuery.raw(setting.replace('set ', 'set local ')))
    }
    await db.executeQuery(CompiledQuery.raw(`prepare page as ${text}`))
    const values = sql.join(parameters.map((value) => sql.lit(value)))
    const { rows } = await sql`explain execute page (${values})`.execute(db)
    await sql`deallocate page`.execute(db)
    return JSON.stringify(rows)
  })

test('what a search finds is gone through in order where it is much, and read by its ids where it is little', async (t) => {
  const here = await world(t)
  const { db, ann, bob } = here
  for (const { id } of [ann, bob]) await addMany(here, id, numbered('hay', 2000))
  if (isPostgresql) await sql`analyze todos`.execute(db)
  // PostgreSQL has none of these in the sample of texts that it plans by.
  await addMany(here, ann.id, numbered('needle', 4000))

  for (const filter of FILTERS) {
    for (const sort of SORTS) {
      const url = `${TODOS}?sort=${sort}&limit=10${filter}`
      const [many, ...noMore] = await pagesOf(here, () => ann.get(`${url}&q=needle`))
      assert.ok(many)
      assert.deepEqual(noMore, [])
      const plan = await planOf(db, many)
      assert.match(plan, IN_ORDER, url)
      assert.doesNotMatch(plan, SORTED, url)
      const [few] = await pagesOf(here, () => ann.get(`${url}&q=needle+7`))
      assert.ok(few)
      assert.match(
        await planOf(db, few),
        isPostgresql ? /Index Cond: \(\(owner_id = .*id = ANY/ : /owner_id=\? AND id=\?/,
        url,
      )
    }
  }
})

/** Asks for the first page, for the one behind it and back, and for one by its offset. */
async function turnPages(person: Person, url: string): Promise<void> {
  const linked = async (url: string, relation: string): Promise<string> => {
    const page = link(await person.get(url), relation)
    assert.ok(page, url)
    return page
  }
  await person.get(await linked(await linked(url, 'next'), 'prev'))
  await person.get(`${url}&offset=1`)
}

test('a list of many is gone through in its order, whoever else has how many, and one of few is sorted', async (t) => {
  const here = await world(t)
  const { db, ann, bob } = here
  await addMany(here, ann.id, numbered('Of many', 4000))
  await addMany(here, bob.id, numbered('Of few', 1400))
  await countTodos(db)

  const known = new Map<string, CompiledQuery>()
  const assertInOrder = async (owners: string): Promise<void> => {
    if (isPostgresql) await sql`analyze todos`.execute(db)
    for (const [text, query] of known) {
      const plan = await planOf(db, query)
      assert.match(plan, IN_ORDER, `${owners}: ${text}`)
      assert.doesNotMatch(plan, SORTED, `${owners}: ${text}`)
    }
  }
  for (const filter of FILTERS) {
    for (const sort of SORTS) {
      const url = `${TODOS}?sort=${sort}&limit=10${filter}`
      const many = await pagesOf(here, () => turnPages(ann, url))
      for (const query of many) known.set(query.sql, query)
      if (filter === '' || /id$/.test(sort)) continue
      for (const query of await pagesOf(here, () => turnPages(bob, url))) {
        const plan = await planOf(db, query)
        assert.match(plan, /todos_(open|completed)/, url)
        assert.match(plan, SORTED, url)
      }
    }
  }
  assert.equal(known.size, 48)
  await assertInOrder('two owners')
  await addOwners(db, ann.id, 1000)
  await assertInOrder('many owners of few')
  await addOwners(db, ann.id, 40_000)
  await assertInOrder('many owners, of one each')
})

/** Adds people, each with one of the todos of `owner`. */
async function addOwners(db: Db, owner: number, count: number): Promise<void> {
  const at = '2026-01-31T12:00:00.000Z'
  const email = `${count} `
  const numbers = isPostgresql
    ? sql`generate_series(1, ${sql.lit(count)}) as of (number)`
    : sql`(with recursive of (number) as (select 1 union all select number + 1 from of limit ${count}) select number from of)`
  await sql`
    insert into users (email, email_key, password_hash, fname, lname, created_at, updated_at)
    select ${email} || number, ${email} || number, 'x', 'x', 'x', ${at}, ${at} from ${numbers}`.execute(
    db,
  )
  await sql`
    insert into todos (owner_id, text, text_key, sort_key, completed_at, created_at, updated_at)
    select users.id, text, text_key, sort_key, completed_at, todos.created_at, todos.updated_at
    from users, todos where owner_id = ${owner} and email like ${`${email}%`}
    and todos.id = (select max(id) from todos where owner_id = ${owner}) - users.id % 1000`.execute(
    db,
  )
}
