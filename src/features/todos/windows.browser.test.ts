import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { textsOf, visitOneAndTwo } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually } from '../../../test/todo-page.ts'

/** As though the page had stood still for an hour, on a machine that slept or in a tab that nobody looked at. */
const standStill = (page: Page) =>
  page.evaluate(
    'for (const [key, note] of Object.entries(localStorage)) localStorage[key] = note.replace(/^\\d+/, (at) => at - 3_600_000)',
  )

test('a deletion on a page that stood still', async (t) => {
  const { url } = await startServer(t)

  await t.test('is not offered to be undone when another page has finished it', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    const other = await context.newPage()
    await other.goto('/home')
    const message = page.getByRole('region', { name: 'Messages' }).locator('.toast')
    await deleteTwo()
    await message.getByRole('button', { name: 'Undo' }).focus()
    await standStill(page)
    await eventually(savedTexts, ['One'])
    await eventually(() => message.count(), 0)
    await page.keyboard.press('u')
    await page.getByText('Nothing to undo').waitFor()
    assert.deepEqual(await textsOf(page)(), ['One'])
  })

  await t.test('gives the text back to Undo when another page has finished it', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    // It hears of the other page too late.
    await page.addInitScript(
      "addEventListener('storage', (event) => event.stopImmediatePropagation())",
    )
    await page.reload()
    const other = await context.newPage()
    await other.goto('/home')
    await deleteTwo()
    await standStill(page)
    await eventually(savedTexts, ['One'])
    await page.getByRole('button', { name: 'Undo' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('.todo').getByText('Not undone: deleted somewhere else').waitFor()
    assert.equal(await page.getByText('Not deleted').count(), 0)
    await page.getByLabel('Text', { exact: true }).press('Enter')
    await eventually(savedTexts, ['Two', 'One'])
    await eventually(textsOf(page), ['Two', 'One'])
  })

  await t.test('can be undone as long as the server has the todo', async (t) => {
    const { page, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await deleteTwo()
    await standStill(page)
    await page.keyboard.press('u')
    await page.getByText('Not deleted: Two').waitFor()
    assert.deepEqual(await textsOf(page)(), ['Two', 'One'])
    assert.deepEqual(await savedTexts(), ['Two', 'One'])
  })

  await t.test('is not finished by another page once Undo was pressed', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    const other = await context.newPage()
    await other.goto('/home')
    const asks = Promise.withResolvers<void>()
    const undone = Promise.withResolvers<void>()
    await other.route('**/api/v1/todos/*', async (route) => {
      asks.resolve()
      await undone.promise
      await route.continue()
    })
    await deleteTwo()
    await standStill(page)
    await asks.promise
    await page.keyboard.press('u')
    await page.getByText('Not deleted: Two').waitFor()
    undone.resolve()
    await other.getByText('Saved', { exact: true }).waitFor()
    await eventually(textsOf(other), ['Two', 'One'])
    assert.deepEqual(await savedTexts(), ['Two', 'One'])
  })
})
