import { type Static, Type } from 'typebox'
import { closed } from '../../lib/shapes.ts'
import { Todo } from '../todos/schema.ts'
import { User } from '../users/schema.ts'

export const TODOS_MAX = 100

export const Profile = closed(
  {
    ...User.properties,
    todos: Type.Array(Todo, { description: `The first ${TODOS_MAX}.` }),
    todos_total: Type.Integer({ description: 'How many there are altogether.' }),
  },
  { title: 'Profile' },
)
export type Profile = Static<typeof Profile>
