import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edit, noted } from '../../../test/additions.ts'
import { textsOf, TIME_IS_OVER } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

test('a key that is held, and Undo by its key', async (t) => {
  const { url } = await startServer(t)
  const todos = ['One', 'Two', 'Three', 'Four']

  await t.test('what changes something is done once, and the focus moves on', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos })
    const hold = async (key: string) => {
      for (let repeat = 0; repeat < 2; repeat++) await page.keyboard.down(key)
      await page.keyboard.up(key)
    }
    await hold('j')
    assert.equal(await page.locator(':focus .todo-text').textContent(), 'Three')
    await hold('x')
    assert.equal(await page.locator('[aria-pressed=true].tick').count(), 1)
    await hold('Delete')
    assert.deepEqual(await texts(), ['Four', 'Two', 'One'])
    await page.keyboard.press('Delete')
    assert.deepEqual(await texts(), ['Four', 'One'])
    await hold('u')
    assert.deepEqual(await texts(), ['Four', 'Two', 'One'])
    await page.keyboard.down('Control')
    await hold('z')
    assert.deepEqual(await texts(), todos.toReversed())
    assert.equal(await page.locator('[aria-pressed=true].tick').count(), 1)
  })

  await t.test('what can be undone is undone, the newest first', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos })
    const press = (key: string) => page.keyboard.press(key)
    await page.clock.install()
    const ticked = async () => (await saved()).filter((todo) => todo.completed).length
    await press('j')
    await press('x')
    await press('j')
    await press('x')
    await press('Delete')
    await press('Delete')
    assert.deepEqual(await texts(), ['Four', 'One'])
    const three = page.locator('.toast', { hasText: 'Three' })
    await three.getByRole('button', { name: 'Undo' }).click()
    await press('u')
    assert.deepEqual(await texts(), todos.toReversed())
    await eventually(ticked, 2)
    await press('u')
    await press('Control+z')
    await eventually(ticked, 0)
    await press('u')
    await page.getByText('Nothing to undo').waitFor()
    assert.deepEqual(await texts(), todos.toReversed())
  })

  await t.test('an edit, back to the text that it was made of', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['One', 'Two'] })
    const press = (key: string) => page.keyboard.press(key)
    const savedTexts = async () => (await saved()).map(({ text }) => text)
    await press('j')
    await press('x')
    await edit(page, 'Two', 'Second')
    await edit(page, 'Second', 'Third')
    await eventually(savedTexts, ['Third', 'One'])
    await press('Control+z')
    await eventually(savedTexts, ['Second', 'One'])
    await press('u')
    await eventually(savedTexts, ['Two', 'One'])
    assert.deepEqual(await texts(), ['Two', 'One'])
    assert.equal(await page.locator(':focus .todo-text').textContent(), 'Two')
    assert.equal((await saved())[0]?.completed, true)
    await press('u')
    await eventually(async () => (await saved())[0]?.completed, false)
  })

  await t.test('no edit that somebody has made another text of since', async (t) => {
    const { page, saved, elsewhere } = await visitHome(t, url, { todos: ['One'] })
    await edit(page, 'One', 'Mine')
    await eventually(async () => (await saved())[0]?.text, 'Mine')
    await elsewhere('PATCH', `/${(await saved())[0]?.id}`, { text: 'Theirs' })
    await page.keyboard.press('u')
    const dialog = page.getByRole('dialog', { name: 'Changed somewhere else meanwhile' })
    await dialog.getByText('Theirs', { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Take theirs' }).click()
    await page.locator('.todo-text', { hasText: 'Theirs' }).waitFor()
    assert.equal((await saved())[0]?.text, 'Theirs')
  })

  await t.test('no edit that was refused: the one thing before it', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['One', 'Two'] })
    await page.getByRole('button', { name: 'Done: One' }).click()
    await eventually(async () => (await saved())[1]?.completed, true)
    await edit(page, 'Two', 'x'.repeat(2001))
    await page.locator('.todo').getByText('at most 2000 characters').waitFor()
    await page.getByLabel('Text', { exact: true }).press('Escape')
    await page.keyboard.press('u')
    await eventually(async () => (await saved())[1]?.completed, false)
  })

  await t.test('no edit of a todo that another page deletes', async (t) => {
    const { page, context, saved } = await visitHome(t, url, { todos: ['One', 'Two'] })
    const other = await context.newPage()
    await edit(page, 'Two', 'New')
    await eventually(async () => (await saved())[0]?.text, 'New')
    await other.goto('/home')
    await other.getByRole('button', { name: 'Delete: New' }).click()
    await eventually(textsOf(page), ['One'])
    await page.keyboard.press('u')
    await page.getByText('Nothing to undo').waitFor()
    assert.deepEqual(await textsOf(page)(), ['One'])
  })

  await t.test('an edit in another view, which says where the todo is gone', async (t) => {
    const { page, elsewhere, saved } = await visitHome(t, url, { todos: ['One', '✓ Two'] })
    await edit(page, 'One', 'New')
    await eventually(async () => (await saved())[1]?.text, 'New')
    await page.getByRole('link', { name: /^Done / }).click()
    await eventually(textsOf(page), ['Two'])
    await elsewhere('DELETE', `/${(await saved())[1]?.id}`)
    await page.keyboard.press('u')
    await page.locator('.todo').getByText('deleted somewhere else').waitFor()
    assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'One')
    assert.deepEqual(await noted(page)(), [])
  })

  await t.test('nothing of a todo whose deletion is final', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos })
    await page.clock.install()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('Delete')
    await page.clock.fastForward(TIME_IS_OVER)
    await eventually(async () => (await saved()).length, 3)
    await page.keyboard.press('u')
    await page.getByText('Nothing to undo').waitFor()
    assert.deepEqual(await texts(), ['Three', 'Two', 'One'])
  })
})
