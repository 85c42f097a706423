import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

/** Does what leaves the page, and stays there when the browser asks. */
async function staysAt(page: Page, leave: () => Promise<unknown>): Promise<void> {
  const asked = page.waitForEvent('dialog')
  const left = leave()
  const dialog = await asked
  assert.equal(dialog.type(), 'beforeunload')
  await dialog.dismiss()
  await left
}

async function leavesUnasked(page: Page): Promise<void> {
  const types: string[] = []
  page.on('dialog', async (dialog) => {
    types.push(dialog.type())
    await dialog.accept()
  })
  await page.reload()
  assert.deepEqual(types, [])
}

test('the browser asks before the page is left', async (t) => {
  const { url } = await startServer(t)

  await t.test('with a change that is not saved', async (t) => {
    const { page } = await visitHome(t, url)
    await page.route('**/api/v1/todos**', (route) => route.abort('connectionrefused'))
    await page.getByLabel('New todo').fill('Unsaved')
    await page.keyboard.press('Enter')
    await page.getByText('Not saved yet').waitFor()
    await staysAt(page, () => page.close({ runBeforeUnload: true }))
  })

  await t.test('with a todo that is half typed', async (t) => {
    const { page } = await visitHome(t, url)
    await page.getByLabel('New todo').pressSequentially('Half')
    await staysAt(page, () => page.getByRole('button', { name: 'Sign out' }).click())
    assert.equal(await page.getByLabel('New todo').inputValue(), 'Half')
  })

  await t.test('with an edit, unless nothing was changed by it', async (t) => {
    const { page } = await visitHome(t, url, { todos: ['One'] })
    const field = page.getByLabel('Text', { exact: true })
    await page.getByRole('link', { name: 'Edit: One' }).click()
    await field.pressSequentially(' and more')
    await staysAt(page, () => page.evaluate('location.reload()'))
    assert.equal(await field.inputValue(), 'One and more')
    await field.fill('One')
    await leavesUnasked(page)
  })

  await t.test('with a text that was refused, unless it was let go', async (t) => {
    const { page } = await visitHome(t, url)
    await page.getByLabel('New todo').fill('x'.repeat(2001))
    await page.keyboard.press('Enter')
    await page.locator('.todo').getByText('at most 2000 characters').waitFor()
    await staysAt(page, () => page.evaluate('location.reload()'))
    await page.getByLabel('Text', { exact: true }).press('Escape')
    await leavesUnasked(page)
    await eventually(() => page.locator('.todo:visible').count(), 0)
  })
})
