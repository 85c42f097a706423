import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from '../../../test/browser.ts'
import { startServer } from '../../../test/server.ts'
import { visitHome } from '../../../test/todo-page.ts'

test('the pages of an account', async (t) => {
  const { url } = await startServer(t)

  await t.test(
    'all data cannot be had when the session has ended: one is led to sign in',
    async (t) => {
      const { page, context } = await visitHome(t, url)
      for (const [path, name] of [
        ['/account', 'Download all my data'],
        ['/account/delete', 'download all your data'],
      ] as const) {
        await page.goto(path)
        const cookies = await context.cookies()
        await context.clearCookies()
        await page.getByRole('link', { name }).click()
        await page.waitForURL('**/login?next=%2Faccount')
        await context.addCookies(cookies)
      }
    },
  )

  await t.test(
    'a password that is too long is refused whole, and the rest stays filled in',
    async (t) => {
      const password = 'rain on tin roofs '.repeat(8)
      const { page } = await openBrowser(t, { baseURL: url })
      await page.goto('/signup')
      await page.getByLabel('First name').fill('Eve')
      await page.getByLabel('Last name').fill('New')
      await page.getByLabel('E-mail address').fill('eve@example.com')
      await page.getByLabel('Password').pressSequentially(password)
      await page.getByRole('button', { name: 'Make the account' }).click()
      await page.getByText('Password must have at most 128 characters').waitFor()
      assert.equal(await page.getByLabel('First name').inputValue(), 'Eve')
      assert.equal(await page.getByLabel('E-mail address').inputValue(), 'eve@example.com')

      const visitor = await visitHome(t, url)
      await visitor.page.goto('/account')
      const form = visitor.page.locator('form[action="/account/password"]')
      await form.getByLabel('Current password').fill('rain on tin roofs')
      await form.getByLabel('New password').pressSequentially(password)
      await form.getByRole('button').click()
      await visitor.page.getByText('New password must have at most 128 characters').waitFor()
    },
  )
})
