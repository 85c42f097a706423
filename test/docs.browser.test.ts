import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { test } from 'node:test'
import { openBrowser } from './browser.ts'
import { startServer } from './server.ts'

const signUp = async (url: string, name: string) => {
  const person = {
    email: `${name}@example.com`,
    password: 'rain on tin roofs',
    fname: name,
    lname: 'Archer',
  }
  const { status } = await fetch(`${url}/api/v1/users/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(person),
  })
  assert.equal(status, 201)
  return person
}

test("the documentation's Authorize dialog signs in, and what it then tries is authorized", async (t) => {
  const { url } = await startServer(t)
  await signUp(url, 'first')
  const person = await signUp(url, 'ann')

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

  const kept = await page.evaluate<string>(
    'JSON.stringify([{ ...localStorage }, { ...sessionStorage }])',
  )
  assert.doesNotMatch(kept, /rain on tin roofs|token/, 'the next person at this browser reads it')

  const execute = async (name: string) => {
    const operation = page.locator(`#operations-${name}`)
    const answer = operation.locator('.live-responses-table .response')
    if (await answer.isVisible()) await operation.getByRole('button', { name: 'Clear' }).click()
    else await operation.locator('.opblock-summary-control').click()
    await operation.getByRole('button', { name: 'Execute' }).click()
    await answer.waitFor()
    return (await answer.textContent()) ?? ''
  }
  assert.match(await execute('account-getAccount'), /^200[\s\S]*"email": "ann@example\.com"/)
  await page.screenshot({ path: '.tmp/docs-executed.png' })
  // Nothing is filled in that would ask for other than it seems.
  assert.match(await execute('todos-createTodo'), /^201[\s\S]*"id": 1,/)
  assert.match(await execute('todos-createTodo'), /^201[\s\S]*"id": 2,/)
  assert.match(await execute('todos-changeTodo'), /^200[\s\S]*"id": 1,/)
  assert.match(await execute('todos-replaceTodo'), /^200[\s\S]*"id": 1,/)
  assert.match(await execute('todos-listTodos'), /^200[\s\S]*"id": 2,/)
  assert.deepEqual(foreign, [])
  assert.deepEqual(errors, [])
})
