import assert from 'node:assert/strict'
import { test } from 'node:test'
import { API, edit, noted, visitOld } from '../../../test/additions.ts'
import { textsOf } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually } from '../../../test/todo-page.ts'

test('a change that waits on one page', async (t) => {
  const { url } = await startServer(t)

  for (const [how, isOtherCutOff] of [
    ['is saved', false],
    ['waits as well', true],
  ] as const) {
    await t.test(`is made beside that of another page, which ${how}`, async (t) => {
      const { page, context, saved } = await visitOld(t, url)
      const other = await context.newPage()
      await other.goto('/home')
      for (const each of isOtherCutOff ? [page, other] : [page]) {
        await each.route(API, (route) => route.abort('connectionrefused'))
      }
      await edit(page, 'Old', 'New')
      await page.getByText('Not saved yet').waitFor()
      await other.getByRole('button', { name: 'Done: Old' }).click()
      await other.getByText(isOtherCutOff ? 'Not saved yet' : 'Saved', { exact: true }).waitFor()
      const later = await context.newPage()
      for (const each of [page, other]) await each.close({ runBeforeUnload: false })
      await later.goto('/home')
      await eventually(
        async () => (await saved()).map(({ text, completed }) => [text, completed]),
        [['New', true]],
      )
      await eventually(noted(later), [])
    })
  }

  await t.test(
    'is left to the page that took it over, and what was done there stands',
    async (t) => {
      const { page, context, cutOff, saved } = await visitOld(t, url)
      const ticked = async () => (await saved())[0]?.completed
      await cutOff()
      await page.getByRole('button', { name: 'Done: Old' }).click()
      await page.getByText('Not saved yet').waitFor()
      const other = await context.newPage()
      await other.goto('/home')
      await eventually(ticked, true)
      await eventually(noted(other), [])
      await other.getByRole('button', { name: 'Done: Old' }).click()
      await eventually(ticked, false)
      await page.unroute(API)
      await page.evaluate("dispatchEvent(new Event('online'))")
      await eventually(() => page.getByText('Not saved yet').count(), 0)
      await page.locator('#todos:not([aria-busy])').waitFor()
      await page.getByRole('button', { name: 'Done: Old', pressed: false }).waitFor()
      assert.equal(await ticked(), false)
      assert.equal(await page.locator('[data-count=open]').textContent(), '1')
    },
  )

  await t.test('is not forgotten by signing out on another page without a question', async (t) => {
    const { page, context, cutOff } = await visitOld(t, url)
    const other = await context.newPage()
    await other.goto('/home')
    await cutOff()
    await edit(page, 'Old', 'New')
    await page.getByText('Not saved yet').waitFor()
    const asked = other.waitForEvent('dialog')
    const click = other.getByRole('button', { name: 'Sign out' }).click()
    await (await asked).dismiss()
    await click
    assert.deepEqual(await textsOf(page)(), ['New'])
    assert.notDeepEqual(await noted(page)(), [])
  })
})
