import assert from 'node:assert/strict'
import { test } from 'node:test'
import { phone } from '../../../test/browser.ts'
import { startServer } from '../../../test/server.ts'
import { visitHome } from '../../../test/todo-page.ts'

const smallPhone = { ...phone, viewport: { width: 375, height: 667 } }

test('a message that lasts', async (t) => {
  const { url } = await startServer(t)

  await t.test('says all of its words, be the server away or the session over', async (t) => {
    const { page, context } = await visitHome(t, url, { ...smallPhone, todos: ['One'] })
    const messages = page.getByRole('region', { name: 'Messages' })
    const assertWhole = async (words: string) => {
      await messages.getByText(words).waitFor()
      const isCut = `[...document.querySelectorAll('.toast > p')].some(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)`
      assert.equal(await page.evaluate(isCut), false, words)
    }
    await context.setOffline(true)
    await page.getByRole('button', { name: 'Done: One' }).click()
    await assertWhole('do not close this page.')
    await context.clearCookies()
    await context.setOffline(false)
    await assertWhole('then come back here.')
  })
})
