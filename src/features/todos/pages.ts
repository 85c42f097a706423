import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Db } from '../../db/tables.ts'
import { callerOf } from '../../http/access.ts'
import { FORM } from '../../http/bodies.ts'
import { entityTag, versionsIn } from '../../http/conditional.ts'
import { HERE, localPath } from '../../lib/local-path.ts'
import { Problem } from '../../lib/problem.ts'
import { digest } from '../../lib/secrets.ts'
import { closed, Id } from '../../lib/shapes.ts'
import { lineFeeds } from '../../lib/text.ts'
import { flash } from '../../web/flash.ts'
import { submit } from '../../web/form.ts'
import { html } from '../../web/html.ts'
import { sendPage } from '../../web/send-page.ts'
import * as users from '../users/store.ts'
import * as todos from './actions.ts'
import { homePath, type View, viewOf } from './links.ts'
import { overview } from './overview.ts'
import type { RowOptions } from './rows.ts'
import { ActForm, AddForm, DeleteForm, EditForm, HomeQuery, type Todo } from './schema.ts'
import * as store from './store.ts'
import { type HomeOptions, homeView } from './views.ts'

const params = closed({ id: Id })

interface Options {
  readonly db: Db
  readonly pageSize: number
  /** Where the API's todos are. */
  readonly api: string
}

interface Shown {
  readonly view: View
  readonly add?: HomeOptions['add']
  readonly refusal?: HomeOptions['refusal']
  readonly editing?: { readonly id: number } & Partial<NonNullable<RowOptions['editing']>>
  /** The todo that is edited, to be shown also where the view has it no more. */
  readonly edited?: store.Versioned<Todo>
}

/** The todo page, whose forms do without a script what the script does by the API. */
export const todoPages =
  ({ db, pageSize, api }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { page: true }

    async function show(
      request: FastifyRequest,
      reply: FastifyReply,
      { view: asked, add, refusal, editing, edited }: Shown,
    ) {
      const { id, version } = callerOf(request)
      const [user, { page, ...found }] = await Promise.all([
        users.get(db, id),
        overview(db, id, asked, pageSize),
      ])
      const next = homePath(found.view)
      const isElsewhere = edited && page.every((todo) => todo.id !== edited.id)
      const rows = [...(isElsewhere ? [edited] : []), ...page].map((todo) => ({
        ...todo,
        person: id,
        tag: entityTag(todo.version, version),
        next,
        editing: editing?.id === todo.id ? { text: todo.text, ...editing } : undefined,
      }))
      return sendPage(request, reply, {
        title: 'Todos',
        user,
        current: 'home',
        content: homeView({
          person: id,
          ...found,
          rows,
          pageSize,
          api,
          addKey: randomUUID(),
          add,
          refusal,
        }),
      })
    }

    /** To the view that a form came from, and there to a todo, where it is still in the view. */
    const goBack = (reply: FastifyReply, next: string | undefined, id?: number) =>
      reply.redirect(`${localPath(next, '/home')}${id === undefined ? '' : `#todo-${id}`}`)

    app.get('/', { config, schema: { hide: true, querystring: HomeQuery } }, (request, reply) => {
      const { edit } = request.query
      return show(request, reply, {
        view: viewOf(request.query),
        ...(edit && { editing: { id: Number(edit) } }),
      })
    })

    app.post(
      '/todos',
      { config, attachValidation: true, schema: { hide: true, consumes: [FORM], body: AddForm } },
      async (request, reply) => {
        const { body } = request
        const outcome = await submit(request, reply, () => {
          const { text } = body
          // A second click, before the page's script is there, sends it again and sees only the second answer.
          const key = body.key ? digest(`${body.key} ${text}`) : undefined
          return todos.create(db, callerOf(request), { text }, { key, waits: true })
        })
        if ('refused' in outcome) {
          const { values, faults } = outcome.form
          const fault = faults.text ?? 'cannot be added'
          return show(request, reply, {
            view: viewAt(values.next),
            add: { text: values.text ?? '', fault },
          })
        }
        flash(reply, 'todo-added')
        return goBack(reply, body.next)
      },
    )

    app.post(
      '/todos/:id',
      {
        config,
        attachValidation: true,
        schema: { hide: true, consumes: [FORM], params, body: EditForm },
      },
      async (request, reply) => {
        const { body } = request
        const { id } = request.params
        const owner = callerOf(request).id
        const outcome = await submit(request, reply, () =>
          saveText(db, owner, id, {
            text: lineFeeds(body.text),
            before: lineFeeds(body.before ?? ''),
            versions: versionsIn(body.tag),
          }),
        )
        if ('refused' in outcome) {
          const { refused, form } = outcome
          const { text = '', next } = form.values
          const view = viewAt(next)
          const edited = await store.find(db, owner, id)
          if (!edited) {
            const fault = 'belongs to a todo that was deleted meanwhile; Add makes a new one of it'
            return show(request, reply, { view, add: { text: inOneLine(text), fault } })
          }
          const note =
            refused.status === 412
              ? html`<p class="fault">Someone else changed this meanwhile, to the text &ldquo;${edited.text}&rdquo;. Save again to have yours instead.</p>`
              : html`<p class="fault">The text ${form.faults.text ?? 'cannot be saved'}.</p>`
          return show(request, reply, { view, editing: { id, text, note }, edited })
        }
        flash(reply, 'todo-changed')
        return goBack(reply, body.next, id)
      },
    )

    const act = { hide: true, consumes: [FORM], params, body: ActForm }

    for (const [verb, completed, message] of [
      ['complete', true, 'todo-completed'],
      ['reopen', false, 'todo-reopened'],
    ] as const) {
      app.post(`/todos/:id/${verb}`, { config, schema: act }, async (request, reply) => {
        const { id } = request.params
        const { next } = request.body
        try {
          await todos.change(db, callerOf(request).id, id, { completed })
        } catch (error) {
          if (!isGone(error)) throw error
          return show(request, reply.code(404), { view: viewAt(next), refusal: GONE })
        }
        flash(reply, message)
        return goBack(reply, next, id)
      })
    }

    app.post(
      '/todos/:id/delete',
      { config, schema: { ...act, body: DeleteForm } },
      async (request, reply) => {
        const { tag, next } = request.body
        const { id } = request.params
        const owner = callerOf(request).id
        try {
          await todos.remove(db, owner, id, tag === undefined ? undefined : versionsIn(tag))
        } catch (error) {
          if (!isGone(error) && !isOvertaken(error)) throw error
          reply.code(error.status)
          const todo = await store.find(db, owner, id)
          const refusal = todo
            ? `Not deleted: someone else changed this meanwhile. It is “${todo.text}” now.`
            : GONE
          return show(request, reply, { view: viewAt(next), refusal })
        }
        flash(reply, 'todo-deleted')
        return goBack(reply, next)
      },
    )
  }

/** Whether somebody else changed the todo meanwhile. */
const isOvertaken = (error: unknown): error is Problem =>
  error instanceof Problem && error.status === 412

/** Whether somebody deleted the todo meanwhile, perhaps the same person by a first click. */
const isGone = (error: unknown): error is Problem =>
  error instanceof Problem && error.status === 404
const GONE = 'That todo is not there any more.'

const inOneLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ')

interface Edit {
  readonly text: string
  /** What the text was made of. */
  readonly before: string
  readonly versions: readonly number[]
}

/** Saves a text over that of which it was made, whatever else changed. Throws what `todos.change` throws. */
async function saveText(db: Db, owner: number, id: number, edit: Edit): Promise<void> {
  const { text, before, versions } = edit
  try {
    await todos.change(db, owner, id, { text }, versions)
  } catch (error) {
    if (!isOvertaken(error)) throw error
    const todo = await store.find(db, owner, id)
    if (todo?.text === text) return
    if (!todo || lineFeeds(todo.text) !== before) throw error
    await saveText(db, owner, id, { ...edit, versions: [todo.version] })
  }
}

/** The view that a form came from. */
function viewAt(next: string | undefined): View {
  const { searchParams } = new URL(localPath(next, '/home'), HERE)
  return viewOf(Object.fromEntries(searchParams))
}
