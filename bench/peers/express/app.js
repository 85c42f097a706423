// An equivalent todo service as its authors would write it with Express and Sequelize: a peer of the
// benchmark. It works on the same database, with the same tokens and the same checks.
//   node app.js [--workers=2], with DATABASE_URL, SECRET_KEY and PORT
import cluster from 'node:cluster'
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import cookieParser from 'cookie-parser'
import express from 'express'
import jwt from 'jsonwebtoken'
import { literal, Op, OptimisticLockError } from 'sequelize'
import { Session, sequelize, Todo } from './models.js'

const { SECRET_KEY, PORT } = process.env
const BASE = '/api/v1/todos'

const shown = ({ id, text, completed_at, owner_id, created_at, updated_at }) => ({
  id,
  text,
  completed: completed_at !== null,
  owner_id,
  created_at,
  updated_at,
})

const shownUser = ({ id, email, fname, lname, admin_since, created_at, updated_at }) => ({
  id,
  email,
  fname,
  lname,
  is_admin: admin_since !== null,
  created_at,
  updated_at,
})

const etagOf = (todo, owner) => `"${todo.version}.${owner.version}"`

/** By which of its columns a request's session is known, or nothing. */
function credentials({ headers, cookies }) {
  if (headers.authorization) {
    try {
      const claims = jwt.verify(headers.authorization.slice(7), SECRET_KEY, {
        algorithms: ['HS256'],
      })
      return { user_id: Number(claims.sub), id: claims.sid }
    } catch {
      return undefined
    }
  }
  if (!cookies.session) return undefined
  return { cookie_digest: createHash('sha256').update(cookies.session).digest('base64url') }
}

async function authenticate(request, response, next) {
  const known = credentials(request)
  const expires_at = { [Op.gt]: new Date().toISOString() }
  const session =
    known && (await Session.findOne({ where: { ...known, expires_at }, include: 'user' }))
  if (!session) return response.status(401).json({ detail: 'Not authenticated' })
  request.user = session.user
  next()
}

const isNatural = (text) => /^\d{1,9}$/.test(text)

const app = express()
app.disable('x-powered-by')
app.use(express.json(), cookieParser())

const todos = express.Router()
todos.use(authenticate)

todos.get('/', async ({ user, query }, response) => {
  const { q, cursor, offset = '0', limit = '10' } = query
  if (!isNatural(offset) || !isNatural(limit)) {
    return response.status(422).json({ detail: 'offset and limit are numbers' })
  }
  const where = { owner_id: user.id }
  if (q) {
    const pattern = `%${q.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    where[Op.and] = literal(`text_key like ${sequelize.escape(pattern)} escape '\\'`)
  }
  const after = cursor && JSON.parse(Buffer.from(cursor, 'base64url').toString()).id
  const [total, page] = await Promise.all([
    Todo.count({ where }),
    Todo.findAll({
      where: after === undefined ? where : { ...where, id: { [Op.gt]: after } },
      order: ['id'],
      offset: Number(offset),
      limit: Number(limit),
    }),
  ])
  response.set('X-Total-Count', String(total)).json(page.map(shown))
})

todos.get('/:id', async ({ user, params }, response) => {
  const where = { owner_id: user.id, id: params.id }
  const todo = await Todo.findOne({ where, include: 'owner' })
  if (!todo) return response.status(404).json({ detail: 'Todo not found' })
  response
    .set('ETag', etagOf(todo, todo.owner))
    .json({ ...shown(todo), owner: shownUser(todo.owner) })
})

todos.post('/', async ({ user, body }, response) => {
  const text = typeof body?.text === 'string' ? body.text.trim() : ''
  if (text.length < 1 || text.length > 2000) {
    return response.status(422).json({ detail: 'text has 1 to 2000 characters' })
  }
  const text_key = text.normalize('NFKC').toLowerCase()
  const now = new Date().toISOString()
  const todo = await Todo.create({
    owner_id: user.id,
    text,
    text_key,
    sort_key: text_key.slice(0, 100),
    completed_at: null,
    version: 1,
    created_at: now,
    updated_at: now,
  })
  response
    .status(201)
    .set({ ETag: etagOf(todo, user), Location: `${BASE}/${todo.id}` })
    .json(shown(todo))
})

todos.patch('/:id', async ({ user, params, headers, body }, response) => {
  if (typeof body?.completed !== 'boolean') {
    return response.status(422).json({ detail: 'completed is true or false' })
  }
  const todo = await Todo.findOne({ where: { owner_id: user.id, id: params.id } })
  if (!todo) return response.status(404).json({ detail: 'Todo not found' })
  const expected = headers['if-match']
  if (expected && Number(/^"(\d+)/.exec(expected)?.[1]) !== todo.version) {
    return response.status(412).json({ detail: 'The todo was changed' })
  }
  const now = new Date().toISOString()
  await todo.update({ completed_at: body.completed ? now : null, updated_at: now })
  response.set('ETag', etagOf(todo, user)).json(shown(todo))
})

app.use(BASE, todos)
app.use((error, _request, response, _next) => {
  if (error instanceof OptimisticLockError) {
    return response.status(412).json({ detail: 'The todo was changed' })
  }
  if (error.status) return response.status(error.status).json({ detail: error.message })
  console.error(error)
  response.status(500).json({ detail: 'Internal Server Error' })
})

const { values } = parseArgs({ options: { workers: { type: 'string', default: '1' } } })
const workers = Number(values.workers)
if (workers > 1 && cluster.isPrimary) {
  for (let count = 0; count < workers; count++) cluster.fork()
} else {
  app.listen(Number(PORT), '127.0.0.1')
}
