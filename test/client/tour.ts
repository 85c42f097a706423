import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

type Todo = components['schemas']['Todo']

const [url] = process.argv.slice(2)
if (!url) throw new Error('usage: tour.ts URL')

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

const form = {
  bodySerializer: (body: Record<string, string>) => new URLSearchParams(body).toString(),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
}
const client = createClient<paths>({ baseUrl: url })

const person = {
  email: 'ann@example.com',
  password: 'rain on tin roofs',
  fname: 'Ann',
  lname: 'Archer',
}
const { data: user, response: signedUp } = await client.POST('/api/v1/users/signup', {
  body: person,
})
must(signedUp.status === 201 && user?.email === person.email, 'signs up')

const { data: tokens } = await client.POST('/auth/token', {
  body: { grant_type: 'password', username: person.email, password: person.password },
  ...form,
})
must(tokens?.token_type === 'bearer', 'signs in')
const authorized = (token: string) => ({ Authorization: `Bearer ${token}` })
const api = createClient<paths>({ baseUrl: url, headers: authorized(tokens.access_token) })

const made: Todo[] = []
for (const text of ['Buy milk', 'Call the dentist', 'Water the tomatoes']) {
  const key = `tour-${made.length}`
  const attempt = () =>
    api.POST('/api/v1/todos', { body: { text }, params: { header: { 'idempotency-key': key } } })
  const { data: todo, response } = await attempt()
  must(response.status === 201 && todo !== undefined, 'makes a todo')
  must((await attempt()).data?.id === todo.id, 'makes it once')
  made.push(todo)
}
const [milk, dentist] = made
must(milk !== undefined && dentist !== undefined, 'made three')

must((await api.GET('/api/v1/todos')).data?.length === 3, 'lists without saying how')

const seen: number[] = []
let cursor: string | undefined
do {
  const { data: page, response } = await api.GET('/api/v1/todos', {
    params: { query: { limit: 2, sort: '-created_at', ...(cursor ? { cursor } : {}) } },
  })
  must(page !== undefined && response.headers.get('x-total-count') === '3', 'lists')
  seen.push(...page.map(({ id }) => id))
  const next = /cursor=([^&>]+)[^>]*>; rel="next"/.exec(response.headers.get('link') ?? '')
  cursor = next?.[1]
} while (cursor)
must(
  seen.join() ===
    made
      .map(({ id }) => id)
      .reverse()
      .join(),
  'pages by cursor',
)

const { data: read, response: answer } = await api.GET('/api/v1/todos/{id}', {
  params: { path: { id: milk.id } },
})
must(read?.owner.email === person.email, 'reads with the owner')
const tag = answer.headers.get('etag') ?? ''
const tick = () =>
  api.PATCH('/api/v1/todos/{id}', {
    params: { path: { id: milk.id }, header: { 'if-match': tag } },
    body: { completed: true },
  })
must((await tick()).data?.completed === true, 'ticks')
const { error: overtaken } = await tick()
must(overtaken?.status === 412, 'is told when overtaken')

const { data: replaced } = await api.PUT('/api/v1/todos/{id}', {
  params: { path: { id: dentist.id } },
  body: { text: 'Call the dentist about Thursday' },
})
must(replaced?.text.endsWith('Thursday') === true, 'replaces')

const { error: faulty } = await api.POST('/api/v1/todos', { body: { text: '' } })
must(
  faulty !== undefined && 'errors' in faulty && faulty.errors?.[0]?.type === 'too_short',
  'reads a fault',
)

const removed = await api.DELETE('/api/v1/todos/{id}', { params: { path: { id: milk.id } } })
must(removed.response.status === 204, 'deletes')

const { data: renewed } = await client.POST('/auth/token', {
  body: { grant_type: 'refresh_token', refresh_token: tokens.refresh_token },
  ...form,
})
must(renewed !== undefined && renewed.refresh_token !== tokens.refresh_token, 'refreshes')

const { response: erased } = await client.DELETE('/auth/me', {
  headers: authorized(renewed.access_token),
  body: { password: person.password },
})
must(erased.status === 204, 'erases the account')
const { error: gone } = await client.GET('/auth/me', { headers: authorized(renewed.access_token) })
must(gone?.status === 401, 'is nobody any more')
