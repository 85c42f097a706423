import assert from 'node:assert/strict'
import type { LightMyRequestResponse } from 'fastify'
import { PASSWORD, type World } from './world.ts'

const ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

/** A browser without a script: keeps its cookies, sends forms, and follows where it is told to. */
export interface Visitor {
  readonly cookies: ReadonlyMap<string, string>
  readonly get: (url: string) => Promise<LightMyRequestResponse>
  readonly submit: (url: string, fields?: Record<string, string>) => Promise<LightMyRequestResponse>
  /** The page that a redirect leads to. */
  readonly follow: (redirect: LightMyRequestResponse) => Promise<LightMyRequestResponse>
}

export function visitor({ app }: World, headers: Record<string, string> = {}): Visitor {
  const cookies = new Map<string, string>()
  const send = async (url: string, fields?: Record<string, string>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await app.inject({
      url,
      method: fields ? 'POST' : 'GET',
      headers: {
        accept: ACCEPT,
        'sec-fetch-site': 'same-origin',
        cookie,
        ...(fields && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      ...(fields && { body: new URLSearchParams(fields).toString() }),
    })
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  return {
    cookies,
    get: (url) => send(url),
    submit: (url, fields = {}) => send(url, fields),
    follow: (redirect) => {
      assert.equal(redirect.statusCode, 302, redirect.body)
      return send(String(redirect.headers.location))
    },
  }
}

/** A browser that is signed in, and has read the greeting. */
export async function signedInVisitor(
  here: World,
  name = 'ann',
  headers: Record<string, string> = {},
): Promise<Visitor> {
  const browser = visitor(here, headers)
  const credentials = { username: `${name}@example.com`, password: PASSWORD }
  const page = await browser.follow(await browser.submit('/login', credentials))
  assert.equal(page.statusCode, 200)
  return browser
}

/** What a page says at its head, after the redirect that led to it. */
export const noticeOf = ({ body }: LightMyRequestResponse): string | undefined =>
  /<div class="notice" role="status">.*?<div>(.*?)<\/div>/s.exec(body)?.[1]

/** What a page says is wrong with a field, by the field's id. */
export const faultOf = ({ body }: LightMyRequestResponse, id: string): string | undefined =>
  new RegExp(`id="${id}-fault">(.*?)</p>`).exec(body)?.[1]

/** What a field of a page is filled in with. */
export const filledIn = ({ body }: LightMyRequestResponse, id: string): string | undefined =>
  new RegExp(`id="${id}"[^>]* value="([^"]*)"`)
    .exec(body)?.[1]
    ?.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))

/** What a page warns of. */
export const warningOf = ({ body }: LightMyRequestResponse): string | undefined =>
  /<div class="notice notice-danger" role="alert">.*?<div>(.*?)<\/div>/s.exec(body)?.[1]

/** The id of the field that a page begins at. */
export const focusOf = ({ body }: LightMyRequestResponse): string | undefined =>
  /<input[^>]* id="([^"]+)"[^>]* autofocus>/.exec(body)?.[1]
