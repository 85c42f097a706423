import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { test } from 'node:test'
import { openBrowser } from './browser.ts'
import { startServer } from './server.ts'

const person = {
  email: 'ann@example.com',
  password: 'rain on tin roofs',
  fname: 'Ann',
  lname: 'Archer',
}

test("the documentation's Authorize dialog signs in, and what it then tries is authorized", async (t) => {
  const { url } = await startServer(t)
  const signedUp = await fetch(`${url}/api/v1/users/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(person),
  })
  assert.equal(signedUp.status, 201)

  const { page, errors } = await openBrowser(t, { baseURL: url })
  const foreign: string[] = []
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url))
      foreign.push(request.url())
  })
  await page.goto('/docs')
  await page.getByRole('button', { name: 'Authorize' }).first().click()
  const dialog = page.locator('.auth-container', { hasText: 'OAuth2, password' })
  await dialog.locator('#oauth_username').fill(person.email)
  await dialog.locator('#oauth_password').fill(person.password)
  await dialog.locator('button.authorize').click()
  await dialog.locator('h6', { hasText: 'Authorized' }).waitFor()
  await mkdir('.tmp', { recursive: true })
  await page.screenshot({ path: '.tmp/docs-authorized.png' })
  await dialog.locator('button.btn-done').click()

  const operation = page.locator('#operations-account-getAccount')
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = operation.locator('.live-responses-table .response')
  await answer.waitFor()
  assert.match((await answer.textContent()) ?? '', /200[\s\S]*"email": "ann@example\.com"/)
  await page.screenshot({ path: '.tmp/docs-executed.png' })
  assert.deepEqual(foreign, [])
  assert.deepEqual(errors, [])
})
