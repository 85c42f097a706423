import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { openBrowser, phone } from './browser.ts'

async function serve(t: TestContext, html: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(html)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert(address !== null && typeof address === 'object')
  return `http://127.0.0.1:${address.port}/`
}

const page = (script: string) => `<!doctype html>
<meta name="viewport" content="width=device-width">
<title>Smoke</title>
<button>Say hello</button> <output></output>
<script>${script}</script>`

test('a page is served, clicked and read in Chromium', async (t) => {
  const { page: tab, errors } = await openBrowser(t)
  const greet = "document.querySelector('output').textContent = 'Hello'"
  await tab.goto(await serve(t, page(`document.querySelector('button').onclick = () => ${greet}`)))
  await tab.getByRole('button', { name: 'Say hello' }).click()
  assert.equal(await tab.getByRole('status').textContent(), 'Hello')
  assert.equal(await tab.title(), 'Smoke')
  assert.deepEqual(errors, [])
})

test('text is drawn in a font that is there', async (t) => {
  const { page: tab } = await openBrowser(t)
  await tab.setContent('<span id="thin">iiiiiiii</span><br><span id="wide">WWWWWWWW</span>')
  const thin = await tab.locator('#thin').boundingBox()
  const wide = await tab.locator('#wide').boundingBox()
  assert(thin && wide && thin.width > 0 && wide.width > 2 * thin.width)
})

test('a phone in the dark is narrow, touched and dark', async (t) => {
  const { page: tab } = await openBrowser(t, { ...phone, colorScheme: 'dark' })
  await tab.goto(await serve(t, page('')))
  assert.equal(await tab.evaluate('innerWidth'), 390)
  assert.equal(await tab.evaluate('navigator.maxTouchPoints > 0'), true)
  assert.equal(await tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"), true)
})

test('what a page throws, logs as an error or cannot load is gathered', async (t) => {
  const { page: tab, errors } = await openBrowser(t)
  const script = "console.error('logged'); fetch('http://elsewhere.test/'); throw Error('thrown')"
  await tab.goto(await serve(t, page(script)))
  while (errors.length < 3) await tab.waitForTimeout(20)
  for (const part of ['thrown', 'logged', 'net::ERR_NAME_NOT_RESOLVED']) {
    assert(errors.some((error) => error.includes(part)))
  }
})
