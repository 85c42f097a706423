import { type Static, Type } from 'typebox'
import { Next } from '../../lib/local-path.ts'
import { type PageSizes, pageQuery } from '../../lib/paging.ts'
import { closed, Id, MAX_INTEGER, Time, trimmed } from '../../lib/shapes.ts'
import { User } from '../users/schema.ts'

const Text = trimmed({ minLength: 1, maxLength: 2000, examples: ['Buy milk'] })
const Completed = Type.Boolean({ examples: [false] })

const fields = {
  id: Id,
  text: Type.String({ examples: ['Buy milk'] }),
  completed: Completed,
  owner_id: Id,
  created_at: Time,
  updated_at: Time,
}

export const Todo = closed(fields, { title: 'Todo' })
export type Todo = Static<typeof Todo>

export const TodoWithOwner = closed({ ...fields, owner: User }, { title: 'TodoWithOwner' })
export type TodoWithOwner = Static<typeof TodoWithOwner>

export const TodoCreate = closed(
  { text: Text, completed: Type.Optional(Completed) },
  { title: 'TodoCreate' },
)
export type TodoCreate = Static<typeof TodoCreate>

export const TodoReplace = closed(
  { id: Type.Optional(Id), text: Text, completed: Type.Optional(Completed) },
  {
    title: 'TodoReplace',
    description: 'An `id` must be the one in the path; `completed` is false when absent.',
    examples: [{ text: 'Buy milk', completed: false }],
  },
)
export type TodoReplace = Static<typeof TodoReplace>

export const TodoUpdate = closed(
  { text: Type.Optional(Text), completed: Type.Optional(Completed) },
  { title: 'TodoUpdate', description: 'What is absent stays as it is (RFC 7396).' },
)
export type TodoUpdate = Static<typeof TodoUpdate>

export const sorts = ['id', 'created_at', 'updated_at', 'text'] as const
export type Sort = (typeof sorts)[number]

/** What a todo is searched for by. */
export const SearchText = trimmed({
  minLength: 0,
  maxLength: 200,
  description: 'Only those with this text in them, in whatever case.',
})

export const todoQuery = (pageSizes: PageSizes) =>
  closed({
    user_id: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_INTEGER,
        description: 'Whose todos; for administrators, or the caller’s own id.',
      }),
    ),
    completed: Type.Optional(
      Type.Boolean({ description: 'Only the completed ones, or only the open ones.' }),
    ),
    q: Type.Optional(SearchText),
    sort: Type.Enum([...sorts, ...sorts.map((sort) => `-${sort}` as const)], {
      default: 'id',
      description: 'The order; with `-` in front from the last to the first.',
    }),
    ...pageQuery(pageSizes),
    cursor: Type.Optional(
      Type.String({
        maxLength: 1024,
        description:
          'A place in the list, as the `Link` header names it. It costs the same at any depth.',
      }),
    ),
  })

/** The address of the todo page. One that was mistyped shows what it can. */
export const HomeQuery = Type.Object({
  show: Type.Optional(Type.String()),
  q: Type.Optional(SearchText),
  page: Type.Optional(Type.String()),
  /** The todo whose text is to be edited. */
  edit: Type.Optional(Type.String()),
})

const Tag = Type.String({ maxLength: 40 })

/** The forms of the todo page; `next` is the view to come back to. */
export const AddForm = closed({
  text: Text,
  /** Says which form it is that is sent; pages drawn by older versions do not. */
  key: Type.Optional(Type.String({ maxLength: 100 })),
  next: Next,
})
/** `before` is the text that was edited, `tag` the entity tag of that version. */
export const EditForm = closed({
  text: Text,
  before: Type.Optional(Type.String()),
  tag: Tag,
  next: Next,
})
export const ActForm = closed({ next: Next })
/** `tag` is the entity tag of the version that the person saw; pages drawn by older versions have none. */
export const DeleteForm = closed({ tag: Type.Optional(Tag), next: Next })
