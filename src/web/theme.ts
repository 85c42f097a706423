import type { FastifyRequest } from 'fastify'
import { readCookie } from '../http/cookies.ts'

/** Light or dark as the system is, or as the person chose. The cookie is read by the pages' script too. */
export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

export const THEME_COOKIE = 'theme'

export function themeOf(request: FastifyRequest): Theme {
  const chosen = readCookie(request, THEME_COOKIE)
  return themes.find((theme) => theme === chosen) ?? 'system'
}
