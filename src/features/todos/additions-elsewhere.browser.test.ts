import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { API, enter, noted, visitOld } from '../../../test/additions.ts'
import { textsOf } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, PASSWORD, signInInstead, visitHome } from '../../../test/todo-page.ts'

test('a todo that is being added', async (t) => {
  const { url } = await startServer(t)

  await t.test('is there once on each of two pages that add it', async (t) => {
    const { page, context, cutOff, texts, savedTexts } = await visitOld(t, url)
    await cutOff()
    await enter(page, 'Once')
    await page.getByText('Not saved yet').waitFor()
    const other = await context.newPage()
    await other.goto('/home')
    await eventually(savedTexts, ['Once', 'Old'])
    await eventually(noted(other), [])
    await page.unroute(API)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await eventually(() => page.locator('[data-saving]').count(), 0)
    assert.deepEqual(await savedTexts(), ['Once', 'Old'])
    for (const read of [texts, textsOf(other)]) await eventually(read, ['Once', 'Old'])
    assert.deepEqual(await noted(page)(), [])
  })

  await t.test('is sent again while another page is adding it (409)', async (t) => {
    const { page, texts, savedTexts } = await visitOld(t, url)
    await page.route(API, (route) => route.fulfill({ status: 409, body: '{}' }), { times: 1 })
    await enter(page, 'Patient')
    await eventually(savedTexts, ['Patient', 'Old'])
    assert.deepEqual(await texts(), ['Patient', 'Old'])
  })

  await t.test('is noted no more when it is refused, and stays to be mended', async (t) => {
    const { page, context, comeBack } = await visitOld(t, url)
    await context.setOffline(true)
    await enter(page, 'x'.repeat(2001))
    await page.getByText('Not saved yet').waitFor()
    const later = await comeBack()
    await later.locator('.todo').getByText('at most 2000 characters').waitFor()
    assert.equal((await later.getByLabel('Text', { exact: true }).inputValue()).length, 2001)
    assert.deepEqual(await noted(later)(), [])
  })

  await t.test('is nobody else’s, and waits while they are signed in', async (t) => {
    const { page, context, cutOff, saved, signIn } = await visitOld(t, url)
    const bob = await visitHome(t, url)
    await cutOff()
    await enter(page, 'Hers')
    await page.getByText('Not saved yet').waitFor()
    const later = await context.newPage()
    await page.close({ runBeforeUnload: false })
    await signInInstead(later, bob)
    assert.deepEqual(await textsOf(later)(), [])
    await signInInstead(later, { signIn })
    await eventually(async () => (await saved()).length, 2)
    assert.deepEqual(await bob.saved(), [])
  })

  const leavings: ReadonlyArray<readonly [string, (page: Page) => Promise<void>]> = [
    [
      'is signed in',
      async (page) => {
        const signOut = page.getByRole('button', { name: 'Sign out' })
        const asked = page.waitForEvent('dialog')
        const click = signOut.click()
        const question = await asked
        assert.match(question.message(), /not saved yet/)
        await question.dismiss()
        await click
        assert.equal(new URL(page.url()).pathname, '/account')
        assert.notDeepEqual(await noted(page)(), [])
        page.once('dialog', (question) => question.accept())
        await signOut.click()
      },
    ],
    [
      'has the account',
      async (page) => {
        await page.goto('/account/delete')
        await page.getByLabel('Password').fill(PASSWORD)
        await page.getByRole('button', { name: 'Delete my account' }).click()
      },
    ],
  ]
  for (const [how, leave] of leavings) {
    await t.test(`is kept in the browser no longer than its person ${how}`, async (t) => {
      const { page, context, cutOff } = await visitOld(t, url)
      await cutOff()
      await enter(page, 'Private')
      await page.getByText('Not saved yet').waitFor()
      const later = await context.newPage()
      await page.close({ runBeforeUnload: false })
      await later.goto('/account')
      assert.notDeepEqual(await noted(later)(), [])
      await leave(later)
      await later.waitForURL('**/login')
      await eventually(noted(later), [])
    })
  }
})
