import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Db } from '../../db/tables.ts'
import { isShown } from '../../http/accepts.ts'
import { callerOf, isOwnLink } from '../../http/access.ts'
import { FORM } from '../../http/bodies.ts'
import { readCookie, removeCookie, SESSION_COOKIE, writeCookie } from '../../http/cookies.ts'
import { localPath, Next } from '../../lib/local-path.ts'
import { isRandomSecret, randomSecret } from '../../lib/secrets.ts'
import { closed, Id } from '../../lib/shapes.ts'
import { fromNow } from '../../lib/time.ts'
import { flash } from '../../web/flash.ts'
import { emptyForm, type FormState, submit } from '../../web/form.ts'
import { sendPage } from '../../web/send-page.ts'
import { signUp } from '../users/actions.ts'
import { Password, UserCreate } from '../users/schema.ts'
import * as users from '../users/store.ts'
import { end, endOne, type SignInRules, signInBrowser, signInUnasked } from './actions.ts'
import { countActive, listActive } from './list-store.ts'
import { sessionsView } from './list-view.ts'
import { Username } from './schema.ts'
import * as sessions from './store.ts'
import { loginView, logoutView, signupClosedView, signupView } from './views.ts'

const SignInQuery = Type.Object({
  next: Next,
  /** Set where a form led here that nobody signed in had sent. */
  unsaved: Type.Optional(Type.String()),
})
const UNSAVED: FormState = {
  ...emptyForm,
  message: 'You were signed out before that was saved. Sign in, then do it again.',
}
const LoginForm = closed({ username: Username, password: Password, next: Next })
const SignupForm = closed({ ...UserCreate.properties, next: Next })

/** A script that signs in anew each time has thousands of sessions. */
const SHOWN_MAX = 100

/** Says that this browser signed in before, so that guesses from elsewhere do not keep it out. */
const DEVICE_COOKIE = 'device'
const DEVICE_LIFETIME = 365 * 24 * 60 * 60

function deviceOf(request: FastifyRequest): string | undefined {
  const secret = readCookie(request, DEVICE_COOKIE)
  return secret && isRandomSecret(secret) ? secret : undefined
}

interface Options {
  readonly db: Db
  readonly rules: SignInRules
  readonly signup: 'open' | 'closed'
  /** In seconds. */
  readonly idleTimeout: number
}

/** Signing in, up and out in a browser, and the list of where one is signed in. */
export const sessionPages =
  ({ db, rules, signup, idleTimeout }: Options): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { access: 'public' as const, page: true }
    const canSignUp = signup === 'open'

    const browserOf = (request: FastifyRequest) => ({
      address: request.ip,
      // The same for as long as the browser keeps it, whoever signs in and out.
      device: deviceOf(request) ?? randomSecret(),
      userAgent: request.headers['user-agent'],
      previous: readCookie(request, SESSION_COOKIE),
    })

    function keep(reply: FastifyReply, secret: string, { device }: { readonly device: string }) {
      writeCookie(reply, SESSION_COOKIE, secret, { maxAge: rules.sessionLifetime })
      writeCookie(reply, DEVICE_COOKIE, device, { maxAge: DEVICE_LIFETIME })
    }

    async function leave(request: FastifyRequest, reply: FastifyReply) {
      const secret = readCookie(request, SESSION_COOKIE)
      if (secret) await end(db, secret)
      removeCookie(reply, SESSION_COOKIE)
      flash(reply, 'signed-out')
      return reply.redirect('/login')
    }

    const showLogin = (
      request: FastifyRequest,
      reply: FastifyReply,
      form: FormState,
      next: string | undefined,
    ) =>
      sendPage(request, reply, {
        title: 'Sign in',
        content: loginView({ form, next: localPath(next, '/home') }, { canSignUp }),
      })

    const showSignup = (
      request: FastifyRequest,
      reply: FastifyReply,
      form: FormState,
      next: string | undefined,
    ) =>
      sendPage(request, reply, {
        title: 'Make an account',
        content: canSignUp
          ? signupView({ form, next: localPath(next, '/home') })
          : signupClosedView(),
      })

    app.get(
      '/login',
      { config, schema: { hide: true, querystring: SignInQuery } },
      (request, reply) => {
        const { next, unsaved } = request.query
        return showLogin(request, reply, unsaved ? UNSAVED : emptyForm, next)
      },
    )

    app.post(
      '/login',
      { config, attachValidation: true, schema: { hide: true, consumes: [FORM], body: LoginForm } },
      async (request, reply) => {
        const { body } = request
        const browser = browserOf(request)
        const outcome = await submit(request, reply, () =>
          signInBrowser(db, rules, {
            email: body.username.trim(),
            password: body.password,
            ...browser,
          }),
        )
        if ('refused' in outcome) {
          const { form } = outcome
          return showLogin(request, reply, form, form.values.next)
        }
        keep(reply, outcome.done, browser)
        flash(reply, 'signed-in')
        return reply.redirect(localPath(body.next, '/home'))
      },
    )

    app.get(
      '/signup',
      { config, schema: { hide: true, querystring: SignInQuery } },
      (request, reply) => {
        if (!canSignUp) reply.code(403)
        return showSignup(request, reply, emptyForm, request.query.next)
      },
    )

    app.post(
      '/signup',
      {
        config,
        attachValidation: true,
        schema: { hide: true, consumes: [FORM], body: SignupForm },
      },
      async (request, reply) => {
        if (!canSignUp) return showSignup(request, reply.code(403), emptyForm, undefined)
        const outcome = await submit(request, reply, () => signUp(db, accountOf(request.body)))
        if ('refused' in outcome) {
          const { form } = outcome
          return showSignup(request, reply, form, form.values.next)
        }
        const browser = browserOf(request)
        const { id } = outcome.done
        const secret = await signInUnasked(db, rules, id, browser)
        keep(reply, secret, browser)
        flash(reply, 'signed-up')
        return reply.redirect(localPath(request.body.next, '/home'))
      },
    )

    app.post('/logout', { config, schema: { hide: true } }, leave)

    app.get('/logout', { config, schema: { hide: true } }, async (request, reply) => {
      if (!readCookie(request, SESSION_COOKIE)) return reply.redirect('/login')
      if (isShown(request) && isOwnLink(request)) return leave(request, reply)
      return sendPage(request, reply, { title: 'Sign out', content: logoutView() })
    })

    app.get(
      '/sessions',
      { config: { page: true }, schema: { hide: true } },
      async (request, reply) => {
        const { id, session_id } = callerOf(request)
        const idleSince = fromNow(-idleTimeout)
        const shown = { currentId: session_id, limit: SHOWN_MAX }
        const [user, list, total] = await Promise.all([
          users.get(db, id),
          listActive(db, id, idleSince, shown),
          countActive(db, id, idleSince),
        ])
        return sendPage(request, reply, {
          title: 'Sessions',
          user,
          current: 'account',
          content: sessionsView(id, { list, total }, session_id),
        })
      },
    )

    app.post(
      '/sessions/:id/end',
      { config: { page: true }, schema: { hide: true, params: closed({ id: Id }) } },
      async (request, reply) => {
        const { id, session_id } = callerOf(request)
        await endOne(db, id, request.params.id)
        if (request.params.id === session_id) {
          removeCookie(reply, SESSION_COOKIE)
          flash(reply, 'signed-out')
          return reply.redirect('/login')
        }
        flash(reply, 'session-ended')
        return reply.redirect('/sessions')
      },
    )

    app.post(
      '/sessions/end-others',
      { config: { page: true }, schema: { hide: true } },
      async (request, reply) => {
        const { id, session_id } = callerOf(request)
        await sessions.removeAll(db, id, session_id)
        flash(reply, 'sessions-ended')
        return reply.redirect('/sessions')
      },
    )
  }

const accountOf = ({ next: _next, ...account }: Static<typeof SignupForm>) => account
