import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { CompiledQuery } from 'kysely'
import pg from 'pg'
import { pino } from 'pino'
import { buildApp } from '../src/app.ts'
import { configure, type ServiceConfig, withSigningKey } from '../src/config/config.ts'
import { migrate } from '../src/db/migrate.ts'
import { open } from '../src/db/open.ts'
import type { Db } from '../src/db/tables.ts'
import { readEnvironment } from '../src/config/read-environment.ts'
import * as users from '../src/features/users/store.ts'
import { hash } from '../src/lib/passwords.ts'
import { assertDeclared } from './answers.ts'

export const PASSWORD = 'rain on tin roofs'
const passwordHash = hash(PASSWORD)

/** Whichever of the databases this run of the tests is about. */
export const isPostgresql = process.env.TEST_DATABASE === 'postgresql'

type Variables = Record<string, string>

/** However busy the machine is, no service under test refuses requests for it, unless that is what the test is about. */
export const UNHURRIED = { OVERLOAD_DELAY: '60000' }

export interface World {
  readonly app: FastifyInstance
  readonly db: Db
  readonly config: ServiceConfig
  readonly ann: Person
  readonly bob: Person
  /** Somebody who is not signed in. */
  readonly nobody: Client
  person(name: string, options?: { is_admin?: boolean }): Promise<Person>
  /** How many queries were made so far. */
  queries(): number
  /** Every query that was made so far. */
  statements(): readonly CompiledQuery[]
}

type Send = (url: string, options?: InjectOptions) => Promise<LightMyRequestResponse>
type SendBody = (
  url: string,
  body: unknown,
  headers?: Record<string, string>,
) => Promise<LightMyRequestResponse>

export interface Client {
  readonly send: Send
  readonly get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  readonly post: SendBody
  readonly put: SendBody
  readonly patch: SendBody
  readonly delete: (
    url: string,
    headers?: Record<string, string>,
    body?: unknown,
  ) => Promise<LightMyRequestResponse>
  /** Posts a form. */
  readonly form: (url: string, fields: Record<string, string>) => Promise<LightMyRequestResponse>
}

export interface Person extends Client {
  readonly id: number
  readonly email: string
  readonly token: string
  readonly refreshToken: string
}

/** A fresh migrated database with the service on it and two people signed in; closed with the test. */
export async function world(t: TestContext, variables: Variables = {}): Promise<World> {
  const { url, drop } = variables.DATABASE_URL
    ? { url: variables.DATABASE_URL, drop: async () => {} }
    : await freshDatabase()
  const config = withSigningKey(
    configure(
      readEnvironment({
        SECRET_KEY: `test ${randomUUID()}`,
        DATABASE_URL: url,
        ...UNHURRIED,
        ...variables,
      }),
    ),
  )
  const statements: CompiledQuery[] = []
  const db = await open(config.databaseUrl, {
    pool: config.pool,
    onConnectionLost: () => {},
    onQuery: (_kind, _milliseconds, _worked, query) => statements.push(query),
  })
  await migrate(db)
  const app = await buildApp(config, db, pino({ level: 'silent' }))
  t.after(async () => {
    await app.close()
    await db.destroy()
    await drop()
  })
  const nobody = clientOf(app)
  const person = (name: string, options?: { is_admin?: boolean }) =>
    signedIn(app, db, name, options)
  return {
    app,
    db,
    config,
    nobody,
    person,
    queries: () => statements.length,
    statements: () => statements,
    ann: await person('ann'),
    bob: await person('bob'),
  }
}

/** An empty database of the kind that this run is about. */
export async function freshDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const server = process.env.TEST_DATABASE_URL
  if (!isPostgresql || !server) return { url: 'sqlite://', drop: async () => {} }
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const url = new URL(server)
  await administer(server, `create database ${name}`)
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () => administer(server, `drop database if exists ${name} with (force)`),
  }
}

/** Runs one statement on the PostgreSQL server of the tests. */
async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A client whose every answer must be one that the OpenAPI document declares. */
export function clientOf(app: FastifyInstance, token?: string): Client {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const send: Send = async (url, options = {}) => {
    const answer = await app.inject({
      url,
      ...options,
      headers: { ...authorization, ...options.headers },
    })
    await assertDeclared(app, options.method ?? 'GET', url, answer)
    return answer
  }
  const withBody =
    (method: 'POST' | 'PUT' | 'PATCH'): SendBody =>
    (url, body, headers = {}) =>
      send(url, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
  return {
    send,
    get: (url, headers = {}) => send(url, { headers }),
    post: withBody('POST'),
    put: withBody('PUT'),
    patch: withBody('PATCH'),
    delete: (url, headers = {}, body) =>
      body === undefined
        ? send(url, { method: 'DELETE', headers })
        : send(url, {
            method: 'DELETE',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify(body),
          }),
    form: (url, fields) =>
      send(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
  }
}

async function signedIn(
  app: FastifyInstance,
  db: Db,
  name: string,
  { is_admin = false } = {},
): Promise<Person> {
  const email = `${name}@example.com`
  const user = await users.create(db, {
    email,
    password_hash: await passwordHash,
    fname: name,
    lname: 'Tester',
    is_admin,
  })
  if (!user) throw new Error(`${email} is there already`)
  const { access_token, refresh_token } = (
    await clientOf(app).form('/auth/token', { username: email, password: PASSWORD })
  ).json()
  return {
    ...clientOf(app, access_token),
    id: user.id,
    email,
    token: access_token,
    refreshToken: refresh_token,
  }
}
