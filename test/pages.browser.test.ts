import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible } from './axe.ts'
import { openBrowser } from './browser.ts'
import { startServer } from './server.ts'

test('axe finds nothing on the form that signs in, and would find a field without its label', async (t) => {
  const { url } = await startServer(t)
  const { page, errors } = await openBrowser(t, { baseURL: url })
  await page.goto('/login')
  await assertAccessible(page, '/login')
  assert.deepEqual(errors, [])
  await page.evaluate("document.querySelector('label').remove()")
  await assert.rejects(assertAccessible(page, '/login'), /label/)
})
