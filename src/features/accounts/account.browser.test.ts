import { test } from 'node:test'
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
        await page.waitForURL('**/login?next=%2Faccount%2Fexport')
        await context.addCookies(cookies)
      }
    },
  )
})
