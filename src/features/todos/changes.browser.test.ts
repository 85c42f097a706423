import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { API, edit, noted, visitOld } from '../../../test/additions.ts'
import { textsOf } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, signInInstead, visitHome } from '../../../test/todo-page.ts'

test('a change that the server has not confirmed', async (t) => {
  const { url } = await startServer(t)

  await t.test('is made by the next page when its page was ended', async (t) => {
    const todos = ['Milk', '✓ Bread', 'Eggs']
    const { page, cutOff, saved, comeBack } = await visitOld(t, url, todos)
    await cutOff()
    await page.getByRole('button', { name: 'Done: Eggs' }).click()
    await page.getByRole('button', { name: 'Done: Bread' }).click()
    await edit(page, 'Milk', 'Oats')
    await edit(page, 'Oats', 'Oat milk')
    await page.getByText('Not saved yet').waitFor()
    const later = await comeBack()
    await eventually(textsOf(later), ['Eggs', 'Bread', 'Oat milk'])
    await eventually(
      async () => (await saved()).map(({ text, completed }) => [text, completed]),
      [
        ['Eggs', true],
        ['Bread', false],
        ['Oat milk', false],
      ],
    )
    await eventually(noted(later), [])
    await eventually(() => later.locator('.count').allTextContents(), ['3', '2', '1'])
    assert.equal(await later.locator('dialog[open]').count(), 0)
  })

  await t.test('is made where the next page does not have its todo', async (t) => {
    const todos = ['Old', 'Older', ...Array.from({ length: 25 }, (_, at) => `Todo ${at + 1}`)]
    const { page, context, cutOff, saved, comeBack } = await visitOld(t, url, todos)
    await page.goto('/home?page=2')
    await cutOff()
    await edit(page, 'Old', 'New')
    await page.getByRole('button', { name: 'Done: Older' }).click()
    await page.getByText('Not saved yet').waitFor()
    const held = Promise.withResolvers<void>()
    await context.route('**/api/v1/todos/*', async (route) => {
      await held.promise
      await route.continue()
    })
    const later = await comeBack()
    await eventually(async () => (await textsOf(later)()).slice(0, 2), ['New', 'Todo 25'])
    held.resolve()
    await eventually(
      async () => (await saved()).slice(-2).map(({ text, completed }) => [text, completed]),
      [
        ['Older', true],
        ['New', false],
      ],
    )
    await eventually(async () => (await textsOf(later)())[0], 'Todo 25')
    await eventually(() => later.locator('.count').allTextContents(), ['27', '26', '1'])
    await eventually(noted(later), [])
  })

  await t.test('is made once when only the answer was lost', async (t) => {
    const { page, loseAnswers, elsewhere, saved, comeBack } = await visitOld(t, url)
    await loseAnswers()
    await page.getByRole('button', { name: 'Done: Old' }).click()
    await page.getByText('Not saved yet').waitFor()
    const [todo] = await saved()
    const tag = async () => (await elsewhere('GET', `/${todo?.id}`)).headers.get('etag')
    const before = await tag()
    const later = await comeBack()
    await eventually(noted(later), [])
    await later.getByRole('button', { name: 'Done: Old', pressed: true }).waitFor()
    assert.equal(await tag(), before)
  })

  await t.test(
    'is the last word, also where the server did what was taken back since',
    async (t) => {
      const { page, cutOff, loseAnswers, saved, comeBack } = await visitOld(t, url, ['One', 'Two'])
      await loseAnswers()
      await page.getByRole('button', { name: 'Done: One' }).click()
      await page.getByText('Not saved yet').waitFor()
      await page.unroute(API)
      await cutOff()
      await page.getByRole('button', { name: 'Done: One' }).click()
      const later = await comeBack()
      await eventually(async () => (await saved())[1]?.completed, false)
      await eventually(noted(later), [])
    },
  )

  for (const [what, last, act] of [
    ['another text', 'Newer', (page: Page) => edit(page, 'New', 'Newer')],
    ['Undo', 'Old', (page: Page) => page.keyboard.press('u')],
  ] as const) {
    await t.test(`is ${what} over one of which only the answer was lost`, async (t) => {
      const { page, cutOff, loseAnswers, saved, comeBack } = await visitOld(t, url)
      await loseAnswers()
      await edit(page, 'Old', 'New')
      await page.getByText('Not saved yet').waitFor()
      await page.unroute(API)
      await cutOff()
      await act(page)
      await eventually(textsOf(page), [last])
      const later = await comeBack()
      await eventually(async () => (await saved())[0]?.text, last)
      await eventually(noted(later), [])
      assert.equal(await later.locator('dialog[open]').count(), 0)
    })
  }

  await t.test('meets another text by a question', async (t) => {
    const { page, cutOff, elsewhere, saved, comeBack } = await visitOld(t, url)
    await cutOff()
    await edit(page, 'Old', 'Mine')
    await page.getByText('Not saved yet').waitFor()
    await elsewhere('PATCH', `/${(await saved())[0]?.id}`, { text: 'Theirs' })
    const later = await comeBack()
    const dialog = later.getByRole('dialog', { name: 'Changed somewhere else meanwhile' })
    await dialog.getByText('Theirs', { exact: true }).waitFor()
    // Until it is answered, the next page asks as well.
    await later.reload()
    await dialog.getByRole('button', { name: 'Save yours' }).click()
    await eventually(async () => (await saved())[0]?.text, 'Mine')
    await eventually(noted(later), [])
  })

  await t.test('of a todo that is gone is offered as a new one', async (t) => {
    const { page, cutOff, elsewhere, saved, comeBack } = await visitOld(t, url)
    await cutOff()
    await edit(page, 'Old', 'Rescued')
    await page.getByText('Not saved yet').waitFor()
    await elsewhere('DELETE', `/${(await saved())[0]?.id}`)
    const later = await comeBack()
    await later.locator('.todo').getByText('deleted somewhere else').waitFor()
    await later.getByRole('button', { name: 'Save', exact: true }).click()
    await eventually(async () => (await saved()).map(({ text }) => text), ['Rescued'])
    await eventually(noted(later), [])
  })

  await t.test('goes with the todo when that is deleted, and comes back with it', async (t) => {
    const { page, context, cutOff, savedTexts, comeBack } = await visitOld(t, url, ['One', 'Two'])
    await context.clock.install()
    await cutOff()
    await edit(page, 'One', 'First')
    await edit(page, 'Two', 'Second')
    await page.getByRole('button', { name: 'Delete: First' }).click()
    await page.getByRole('button', { name: 'Delete: Second' }).click()
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await page.getByText('Not saved yet').waitFor()
    const later = await comeBack()
    await context.clock.fastForward(15_000)
    await eventually(savedTexts, ['Second'])
    await eventually(textsOf(later), ['Second'])
    await eventually(noted(later), [])
  })

  await t.test('is forgotten where its todo was deleted here and elsewhere', async (t) => {
    const { page, context, cutOff, elsewhere, saved } = await visitOld(t, url)
    await context.clock.install()
    await cutOff()
    await edit(page, 'Old', 'New')
    await page.getByText('Not saved yet').waitFor()
    await page.getByRole('button', { name: 'Delete: New' }).click()
    await elsewhere('DELETE', `/${(await saved())[0]?.id}`)
    await page.unroute(API)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await eventually(() => page.getByText('Not saved yet').count(), 0)
    await context.clock.fastForward(15_000)
    await eventually(noted(page), [])
    await page.reload()
    assert.deepEqual(await textsOf(page)(), [])
  })

  await t.test('is nobody else’s, and forgotten when its person signs out', async (t) => {
    const { page, context, cutOff, saved, signIn } = await visitOld(t, url)
    const bob = await visitHome(t, url, { todos: ['His'] })
    await cutOff()
    await edit(page, 'Old', 'Hers')
    await page.getByText('Not saved yet').waitFor()
    const later = await context.newPage()
    await page.close({ runBeforeUnload: false })
    await signInInstead(later, bob)
    assert.deepEqual(await textsOf(later)(), ['His'])
    assert.notDeepEqual(await noted(later)(), [])
    later.once('dialog', (question) => question.accept())
    await later.getByRole('button', { name: 'Sign out' }).click()
    await later.waitForURL('**/login')
    await eventually(noted(later), [])
    await signIn(later)
    assert.deepEqual(await textsOf(later)(), ['Old'])
    assert.deepEqual([(await saved())[0]?.text, (await bob.saved())[0]?.text], ['Old', 'His'])
  })
})
