import { type Static, Type } from 'typebox'
import { closed, Id, Time } from '../../lib/shapes.ts'
import { User } from '../users/schema.ts'

const ExportedSession = closed({
  id: Id,
  kind: Type.Enum(['browser', 'api']),
  user_agent: Type.Union([Type.String(), Type.Null()]),
  address: Type.Union([Type.String(), Type.Null()]),
  created_at: Time,
  last_used_at: Time,
  expires_at: Time,
})
export type ExportedSession = Static<typeof ExportedSession>

const ExportedTodo = closed({
  id: Id,
  text: Type.String(),
  completed: Type.Boolean(),
  completed_at: Type.Union([Time, Type.Null()]),
  created_at: Time,
  updated_at: Time,
})
export type ExportedTodo = Static<typeof ExportedTodo>

/**
 * Everything of an account that means something to its owner. Left out are the password's hash and
 * the digests of cookies and refresh tokens, which are secrets, and the answers kept for idempotency
 * keys, which repeat todos that are here and live for a day.
 */
export const Export = closed(
  {
    format: Type.Literal('todo-app-export'),
    version: Type.Literal(1, { description: 'Changes when this shape does.' }),
    exported_at: Time,
    account: User,
    sessions: Type.Array(ExportedSession, { description: 'The oldest first.' }),
    todos: Type.Array(ExportedTodo, { description: 'The oldest first.' }),
  },
  { title: 'Export', description: 'All data of an account.' },
)
