import type { FastifyReply, FastifyRequest } from 'fastify'
import { isShown } from '../http/accepts.ts'
import { readCookie, removeCookie, writeCookie } from '../http/cookies.ts'

/**
 * What a page may say once, after a redirect. The cookie holds the name only, so nobody can put
 * words of their own in the page's mouth.
 */
const messages = {
  'signed-in': 'Welcome back.',
  'signed-up': 'Your account is ready. Welcome!',
  'signed-out': 'You are signed out.',
  'names-changed': 'Your names were changed.',
  'email-changed': 'Your e-mail address was changed.',
  'password-changed': 'Your password was changed. Your other sessions have ended.',
  'session-ended': 'The session has ended.',
  'sessions-ended': 'Your other sessions have ended.',
  'account-erased': 'Your account and everything in it were deleted.',
  'todo-added': 'Added.',
  'todo-changed': 'Saved.',
  'todo-completed': 'Done.',
  'todo-reopened': 'Open again.',
  'todo-deleted': 'Deleted.',
} as const
export type Flash = keyof typeof messages

const COOKIE = 'flash'
const SHOWN_WITHIN = 60

/** Says it on the next page that this browser is shown. */
export const flash = (reply: FastifyReply, message: Flash): void =>
  writeCookie(reply, COOKIE, message, { maxAge: SHOWN_WITHIN })

/** What is to be said now, and not again. */
export function takeFlash(
  request: FastifyRequest,
  reply: FastifyReply,
): { readonly name: string; readonly text: string } | undefined {
  const name = readCookie(request, COOKIE)
  if (name === undefined || !isShown(request)) return undefined
  removeCookie(reply, COOKIE)
  const text = Object.entries(messages).find(([known]) => known === name)?.[1]
  return text === undefined ? undefined : { name, text }
}
