import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { countOn, textsOf, TIME_IS_OVER, visitOneAndTwo } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually } from '../../../test/todo-page.ts'

test('a deletion that the page announced', async (t) => {
  const { url } = await startServer(t)

  await t.test('is done when the person signs out', async (t) => {
    const { page, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await deleteTwo()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/login')
    await eventually(savedTexts, ['One'])
  })

  await t.test('does not look undone on the next page, which makes up for it', async (t) => {
    const { page, context, deleteTwo, savedTexts, loseDeletions } = await visitOneAndTwo(t, url)
    await loseDeletions()
    await deleteTwo()
    await page.reload()
    assert.deepEqual(await textsOf(page)(), ['One'])
    assert.equal(await countOn(page), '1')
    await page.getByRole('link', { name: /^Open/ }).click()
    await page.locator('#todos:not([aria-busy])').waitFor()
    assert.deepEqual(await textsOf(page)(), ['One'])
    assert.equal(await countOn(page), '1')
    await context.unroute('**/api/v1/todos/*')
    await context.clock.fastForward(TIME_IS_OVER)
    await eventually(savedTexts, ['One'])
    assert.equal(await countOn(page), '1')
  })

  await t.test('is done by a page that is opened after the network was away', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await deleteTwo()
    await context.setOffline(true)
    const later = await context.newPage()
    const closed = page.waitForEvent('close')
    await page.close({ runBeforeUnload: true })
    await closed
    await context.setOffline(false)
    await context.clock.fastForward(TIME_IS_OVER)
    await later.goto('/home')
    assert.deepEqual(await textsOf(later)(), ['One'])
    await eventually(savedTexts, ['One'])
    await eventually(() => later.evaluate('Object.keys(localStorage)'), [])
  })

  await t.test('can still be undone while another page is open', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await deleteTwo()
    const other = await context.newPage()
    await other.goto('/home')
    assert.deepEqual(await textsOf(other)(), ['One'])
    assert.equal(await countOn(other), '1')
    await page.getByRole('button', { name: 'Undo' }).click()
    await eventually(textsOf(other), ['Two', 'One'])
    assert.equal(await countOn(other), '2')
    await context.clock.fastForward(TIME_IS_OVER)
    await other.getByRole('button', { name: 'Done: One' }).click()
    await other.getByText('Saved', { exact: true }).waitFor()
    assert.deepEqual(await savedTexts(), ['Two', 'One'])
  })

  await t.test('is of one todo when its button is clicked twice in a hurry', async (t) => {
    const { page, savedTexts, context } = await visitOneAndTwo(t, url)
    const { x, y, width, height } = (await page
      .getByRole('button', { name: 'Delete: Two' })
      .boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    const middle = [x + width / 2, y + height / 2] as const
    await page.mouse.click(...middle, { clickCount: 3 })
    assert.deepEqual(await textsOf(page)(), ['One'])
    await delay(400)
    await page.mouse.click(...middle)
    assert.deepEqual(await textsOf(page)(), [])
    await context.clock.fastForward(TIME_IS_OVER)
    await eventually(savedTexts, [])
  })

  await t.test('is not offered to be undone when it is final', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await deleteTwo()
    const message = page.getByRole('region', { name: 'Messages' }).locator('.toast')
    await message.waitFor()
    await context.clock.fastForward(TIME_IS_OVER)
    await eventually(savedTexts, ['One'])
    await eventually(() => message.count(), 0)
    await page.keyboard.press('u')
    assert.deepEqual(await textsOf(page)(), ['One'])
  })

  await t.test('can be undone as long as the pointer or the focus is there', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    const other = await context.newPage()
    await other.goto('/home')
    const passTime = async () => {
      // Both pages go at the same pace.
      for (let second = 0; second < TIME_IS_OVER / 1_000; second++)
        await context.clock.runFor(1_000)
    }
    const messages = page.getByRole('region', { name: 'Messages' })
    await deleteTwo()
    await messages.locator('.toast').hover()
    await passTime()
    assert.deepEqual(await savedTexts(), ['Two', 'One'])
    assert.deepEqual(await textsOf(other)(), ['One'])
    await messages.getByRole('button', { name: 'Undo' }).focus()
    await page.mouse.move(0, 0)
    await passTime()
    assert.deepEqual(await savedTexts(), ['Two', 'One'])
    await page.keyboard.press('Enter')
    assert.deepEqual(await textsOf(page)(), ['Two', 'One'])
    await eventually(textsOf(other), ['Two', 'One'])
    await deleteTwo()
    await messages.locator('.toast').hover()
    await page.mouse.move(0, 0)
    await passTime()
    await eventually(savedTexts, ['One'])
    await eventually(() => messages.locator('.toast').count(), 0)
  })

  await t.test('is undone by Ctrl+Z with the other keys switched off too', async (t) => {
    const { page, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await page.keyboard.press('?')
    await page.getByLabel('Use these keys').uncheck()
    await page.keyboard.press('Escape')
    await deleteTwo()
    const field = page.getByLabel('New todo')
    await field.pressSequentially('abc')
    await page.keyboard.press('Control+z')
    assert.notEqual(await field.inputValue(), 'abc', 'what is typed in a field is undone there')
    assert.deepEqual(await textsOf(page)(), ['One'])
    await field.fill('')
    await field.press('Escape')
    await page.keyboard.press('Control+z')
    assert.deepEqual(await textsOf(page)(), ['Two', 'One'])
    assert.deepEqual(await savedTexts(), ['Two', 'One'])
  })

  await t.test('is not called off by Undo of a tick before it', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await page.getByRole('link', { name: /^Open/ }).click()
    await page.locator('#todos:not([aria-busy])').waitFor()
    await page.getByRole('button', { name: 'Done: Two' }).click()
    await page.getByRole('link', { name: /^All/ }).click()
    await eventually(textsOf(page), ['Two', 'One'])
    await deleteTwo()
    const messages = page.getByRole('region', { name: 'Messages' })
    const ticked = messages.locator('.toast').filter({ hasText: 'Done: Two' })
    await ticked.getByRole('button', { name: 'Undo' }).click()
    assert.deepEqual(await textsOf(page)(), ['One'])
    await context.clock.fastForward(TIME_IS_OVER)
    await eventually(savedTexts, ['One'])
  })

  await t.test('on another page leaves the text that is being edited there', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    const other = await context.newPage()
    await other.goto('/home')
    await other.getByRole('link', { name: 'Edit: Two' }).click()
    const field = other.getByLabel('Text', { exact: true })
    await field.fill('Two and a half')
    await deleteTwo()
    await context.clock.fastForward(TIME_IS_OVER)
    await eventually(savedTexts, ['One'])
    await eventually(() => page.evaluate('Object.keys(localStorage)'), [])
    await field.press('Enter')
    await other.locator('.todo').getByText('deleted somewhere else').waitFor()
    assert.equal(await field.inputValue(), 'Two and a half')
    await field.press('Enter')
    await eventually(savedTexts, ['Two and a half', 'One'])
  })

  await t.test('stays so in other views, and Undo brings it back there', async (t) => {
    const { page, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await deleteTwo()
    await page.getByRole('link', { name: /^Done/ }).click()
    await eventually(textsOf(page), [])
    await page.getByRole('link', { name: /^All/ }).click()
    await eventually(textsOf(page), ['One'])
    assert.equal(await countOn(page), '1')
    await page.getByRole('button', { name: 'Undo' }).click()
    await eventually(textsOf(page), ['Two', 'One'])
    assert.equal(await countOn(page), '2')
    assert.deepEqual(await savedTexts(), ['Two', 'One'])
  })

  await t.test('is given up when someone went on with the todo afterwards', async (t) => {
    const { page, context, saved, elsewhere, ...visitor } = await visitOneAndTwo(t, url)
    const [two] = await saved()
    await visitor.loseDeletions()
    await visitor.deleteTwo()
    await page.goto('/account')
    await context.unroute('**/api/v1/todos/*')
    // As though it was an hour ago.
    await page.evaluate(
      'for (const [key, note] of Object.entries(localStorage)) localStorage[key] = note.replace(/^\\d+/, (at) => at - 3_600_000)',
    )
    await elsewhere('PATCH', `/${two?.id}`, { text: 'Two and a half' })
    await page.goto('/home')
    await eventually(textsOf(page), ['Two and a half', 'One'])
    assert.deepEqual(await visitor.savedTexts(), ['Two and a half', 'One'])
  })

  await t.test('is done and undone also where the browser keeps nothing', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    await context.addInitScript(
      "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } })",
    )
    await page.reload()
    await deleteTwo()
    await page.keyboard.press('u')
    assert.deepEqual(await textsOf(page)(), ['Two', 'One'])
    await deleteTwo()
    await context.clock.fastForward(TIME_IS_OVER)
    await eventually(savedTexts, ['One'])
    assert.deepEqual(await textsOf(page)(), ['One'])
  })
})
