import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { PASSWORD, type World, world } from '../world.ts'

const HERE = { 'sec-fetch-site': 'same-origin' }
const ELSEWHERE = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }

const postForm = (
  { app }: World,
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = HERE,
) =>
  app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  })

const sessionIn = (answer: LightMyRequestResponse) =>
  answer.cookies.find(({ name }) => /^(__Host-)?session$/.test(name))

const credentials = { username: 'ann@example.com', password: PASSWORD }
const HTTPS = { 'x-forwarded-proto': 'https' }

test('a sign-in gives a new session, and the one that was planted before opens nothing', async (t) => {
  const here = await world(t)
  const planted = 'session=planted-by-a-stranger'
  const answer = await postForm(here, '/login', credentials, { ...HERE, cookie: planted })
  const given = sessionIn(answer)
  assert.ok(given && given.value.length >= 43 && given.value !== 'planted-by-a-stranger')
  assert.equal((await here.nobody.get('/auth/me', { cookie: planted })).statusCode, 401)

  const mine = `session=${given.value}`
  const again = await postForm(here, '/login', credentials, { ...HERE, cookie: mine })
  assert.notEqual(sessionIn(again)?.value, given.value)
  const status = async (cookie: string) =>
    (await here.nobody.get('/auth/me', { cookie })).statusCode
  assert.equal(await status(mine), 401, 'the session before the sign-in has ended')
  assert.equal(await status(`session=${sessionIn(again)?.value}`), 200)
})

test('signing out ends the session on the server, and takes the cookie back', async (t) => {
  const here = await world(t)
  const session = sessionIn(await postForm(here, '/login', credentials))
  const cookie = `session=${session?.value}`
  const answer = await postForm(here, '/logout', {}, { ...HERE, cookie })
  assert.equal(sessionIn(answer)?.value, '')
  assert.equal((await here.nobody.get('/auth/me', { cookie })).statusCode, 401)
})

test('over https every cookie is bound to this host; none but the theme is readable by a script', async (t) => {
  const here = await world(t, { PROXY_HEADERS: '1' })
  const answers = [
    await postForm(here, '/login', credentials, { ...HERE, ...HTTPS }),
    await postForm(here, '/logout', {}, { ...HERE, ...HTTPS }),
    await postForm(here, '/theme', { theme: 'dark', next: '/' }, { ...HERE, ...HTTPS }),
  ]
  const cookies = answers.flatMap((answer) => answer.cookies)
  assert.ok(cookies.length >= 5)
  for (const { name, path, secure, httpOnly = false, sameSite, domain } of cookies) {
    assert.match(name, /^__Host-/)
    assert.deepEqual(
      { path, secure, sameSite, domain },
      { path: '/', secure: true, sameSite: 'Lax', domain: undefined },
    )
    assert.equal(httpOnly, name !== '__Host-theme', name)
  }
})

test('over https a cookie without the prefix, which a neighbour could plant, is not read', async (t) => {
  const here = await world(t, { PROXY_HEADERS: '1' })
  const { value } =
    sessionIn(await postForm(here, '/login', credentials, { ...HERE, ...HTTPS })) ?? {}
  const status = async (cookie: string) =>
    (await here.nobody.get('/auth/me', { cookie, ...HTTPS })).statusCode
  assert.equal(await status(`session=${value}`), 401)
  assert.equal(await status(`__Host-session=${value}`), 200)
})

test('next leads to this site only, wherever it is named', async (t) => {
  const here = await world(t)
  const targets = [
    'https://evil.example',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/%2e//evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    ' //evil.example',
    'http:evil.example',
    '@evil.example',
    '.evil.example',
    '/\u0000/evil.example',
    '/x\r\nSet-Cookie: a=b',
  ]
  let people = 0
  for (const next of targets) {
    const answers = [
      await postForm(here, '/login', { ...credentials, next }),
      await postForm(here, '/theme', { theme: 'dark', next }),
      await postForm(here, '/signup', {
        email: `new${++people}@example.com`,
        password: PASSWORD,
        fname: 'N',
        lname: 'N',
        next,
      }),
    ]
    for (const { statusCode, headers } of answers) {
      if (statusCode === 422) continue
      assert.equal(statusCode, 302, next)
      const target = new URL(String(headers.location), 'http://here.example')
      assert.equal(target.origin, 'http://here.example', `${next} → ${headers.location}`)
      assert.doesNotMatch(String(headers.location), /^\/[/\\]/)
    }
    const shown = await here.app.inject({
      url: `/login?${new URLSearchParams({ next })}`,
      headers: { accept: 'text/html' },
    })
    assert.doesNotMatch(shown.body, /(href|action|value)="[^"]*(javascript:|data:|\/\/evil|\\)/)
  }
})

test('nobody is led to sign out by having signed in, or by choosing colours', async (t) => {
  const here = await world(t)
  for (const next of [
    '/logout',
    '/logout/',
    '/logout?x=y',
    '/./logout',
    '/%6cogout',
    '/x/../logout',
  ]) {
    for (const [url, fields, fallback] of [
      ['/login', credentials, '/home'],
      ['/theme', { theme: 'dark' }, '/'],
    ] as const) {
      const answer = await postForm(here, url, { ...fields, next })
      assert.equal(answer.headers.location, fallback, next)
    }
  }
})

test('another site signs nobody in, up or out, and changes nothing (403)', async (t) => {
  const here = await world(t)
  const session = sessionIn(await postForm(here, '/login', credentials))
  const cookie = `session=${session?.value}`
  const account = { email: 'e@example.com', password: PASSWORD, fname: 'E', lname: 'E' }
  const origins: Record<string, string>[] = [
    ELSEWHERE,
    { 'sec-fetch-site': 'same-site' },
    { origin: 'null' },
  ]
  const visitors: Record<string, string>[] = [{}, { cookie }]
  for (const headers of origins) {
    for (const [url, fields] of [
      ['/login', credentials],
      ['/signup', account],
      ['/logout', {}],
      ['/theme', { theme: 'dark', next: '/' }],
      ['/home/todos', { text: 'Planted' }],
    ] as const) {
      for (const also of visitors) {
        const answer = await postForm(here, url, { ...fields }, { ...headers, ...also })
        const isLed = url.startsWith('/home') && !('cookie' in also)
        assert.ok(answer.statusCode === 403 || (isLed && answer.statusCode === 302), url)
        assert.deepEqual(answer.cookies, [], url)
      }
    }
  }
  assert.deepEqual((await here.ann.get('/api/v1/todos')).json(), [])
})

test('a link elsewhere to sign out asks first', async (t) => {
  const here = await world(t)
  const follow = async (headers: Record<string, string>) => {
    const session = sessionIn(await postForm(here, '/login', credentials))
    const cookie = `session=${session?.value}`
    const { statusCode, body } = await here.app.inject({
      url: '/logout',
      headers: { host: 'todo.example', cookie, ...headers },
    })
    const isOut = (await here.nobody.get('/auth/me', { cookie })).statusCode === 401
    assert.equal(isOut, statusCode === 302)
    if (!isOut) assert.match(body, /<form method="post" action="\/logout"/)
    return isOut
  }
  // Over plain http browsers send no fetch metadata, and with a link no Origin.
  for (const headers of [
    ELSEWHERE,
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', referer: 'http://todo.example/home' },
    { referer: 'http://evil.example/todo.example' },
    { referer: 'http://todo.example.evil.example/' },
    { referer: 'http://todo.example:8000/' },
    { referer: 'todo.example' },
    // A link or an image whose page forbids to say where it is, or an address that was typed.
    { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0' },
  ] as Record<string, string>[]) {
    assert.equal(await follow(headers), false, JSON.stringify(headers))
  }
  for (const headers of [
    HERE,
    { 'sec-fetch-site': 'none' },
    { referer: 'http://todo.example/home?show=open' },
    // A program.
    { 'user-agent': 'curl/8.14.1' },
    {},
  ] as Record<string, string>[]) {
    assert.equal(await follow(headers), true, JSON.stringify(headers))
  }
})
