import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Db } from '../../db/tables.ts'
import { callerOf } from '../../http/access.ts'
import { FORM } from '../../http/bodies.ts'
import { removeCookie, SESSION_COOKIE } from '../../http/cookies.ts'
import { fromNow } from '../../lib/time.ts'
import { flash } from '../../web/flash.ts'
import { emptyForm, type FormState, submit } from '../../web/form.ts'
import { sendPage } from '../../web/send-page.ts'
import * as sessions from '../sessions/list-store.ts'
import * as users from '../users/store.ts'
import { change, erase } from './actions.ts'
import { personOf } from './api.ts'
import { AccountDelete, EmailForm, NamesForm, PasswordForm } from './schema.ts'
import { accountView, deletionView, type Submitted } from './views.ts'

interface Options {
  readonly db: Db
  readonly failures: number
  /** In seconds. */
  readonly idleTimeout: number
}

/** The page on which a person changes, or ends, their account. */
export const accountPages =
  ({ db, failures, idleTimeout }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { page: true }

    async function show(request: FastifyRequest, reply: FastifyReply, submitted?: Submitted) {
      const { id } = callerOf(request)
      const [user, count] = await Promise.all([
        users.get(db, id),
        sessions.countActive(db, id, fromNow(-idleTimeout)),
      ])
      return sendPage(request, reply, {
        title: 'Account',
        user,
        current: 'account',
        content: accountView({ user, sessions: count, submitted }),
      })
    }

    async function showDeletion(request: FastifyRequest, reply: FastifyReply, form: FormState) {
      const user = await users.get(db, callerOf(request).id)
      return sendPage(request, reply, {
        title: 'Delete the account',
        user,
        current: 'account',
        content: deletionView({ user, form }),
      })
    }

    app.get('/', { config, schema: { hide: true } }, (request, reply) => show(request, reply))

    for (const [name, body, done] of [
      ['names', NamesForm, 'names-changed'],
      ['email', EmailForm, 'email-changed'],
      ['password', PasswordForm, 'password-changed'],
    ] as const) {
      app.post(
        `/${name}`,
        { config, attachValidation: true, schema: { hide: true, consumes: [FORM], body } },
        async (request, reply) => {
          const outcome = await submit(request, reply, () =>
            change(db, personOf(request, failures), request.body),
          )
          if ('refused' in outcome) return show(request, reply, { name, form: outcome.form })
          flash(reply, done)
          return reply.redirect('/account')
        },
      )
    }

    app.get('/delete', { config, schema: { hide: true } }, (request, reply) =>
      showDeletion(request, reply, emptyForm),
    )

    app.post(
      '/delete',
      {
        config,
        attachValidation: true,
        schema: { hide: true, consumes: [FORM], body: AccountDelete },
      },
      async (request, reply) => {
        const outcome = await submit(request, reply, () =>
          erase(db, personOf(request, failures), request.body.password),
        )
        if ('refused' in outcome) return showDeletion(request, reply, outcome.form)
        removeCookie(reply, SESSION_COOKIE)
        flash(reply, 'account-erased')
        return reply.redirect('/login')
      },
    )
  }
