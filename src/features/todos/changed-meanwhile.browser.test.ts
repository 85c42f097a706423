import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { countOn, textsOf, TIME_IS_OVER, visitOneAndTwo } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually } from '../../../test/todo-page.ts'

test('a deletion of what is changed meanwhile', async (t) => {
  const { url } = await startServer(t)

  for (const [origin, path] of [
    ['that the server drew', []],
    // Its rows are made of the API's list, which names no entity tags.
    [
      'that the script drew',
      [
        [/^Done/, []],
        [/^All/, ['Two', 'One']],
      ],
    ],
  ] as const) {
    const open = async (t: TestContext) => {
      const visitor = await visitOneAndTwo(t, url)
      const { page } = visitor
      for (const [name, texts] of path) {
        await page.getByRole('link', { name }).click()
        await eventually(textsOf(page), [...texts])
      }
      return visitor
    }

    await t.test(`of a todo ${origin} is called off when somebody changed it`, async (t) => {
      const { page, context, saved, elsewhere, ...visitor } = await open(t)
      const [two] = await saved()
      await visitor.deleteTwo()
      await elsewhere('PATCH', `/${two?.id}`, { text: 'Two and a half' })
      await context.clock.fastForward(TIME_IS_OVER)
      const messages = page.getByRole('region', { name: 'Messages' })
      await messages.getByText('changed somewhere else').waitFor()
      await eventually(textsOf(page), ['Two and a half', 'One'])
      assert.equal(await countOn(page), '2')
      assert.deepEqual(await visitor.savedTexts(), ['Two and a half', 'One'])
    })

    await t.test(`of a todo ${origin} is done after what this page changed of it`, async (t) => {
      const { page, context, deleteTwo, savedTexts } = await open(t)
      const held = Promise.withResolvers<void>()
      await page.route('**/api/v1/todos/*', async (route) => {
        if (route.request().method() === 'PATCH') await held.promise
        await route.continue()
      })
      await page.getByRole('button', { name: 'Done: Two' }).click()
      await deleteTwo()
      held.resolve()
      await page.getByText('Saved', { exact: true }).waitFor()
      await context.clock.fastForward(TIME_IS_OVER)
      await eventually(savedTexts, ['One'])
      assert.deepEqual(await textsOf(page)(), ['One'])
    })

    await t.test(`of a todo ${origin} is done by leaving, unless it was changed`, async (t) => {
      const { page, saved, elsewhere, savedTexts, deleteTwo } = await open(t)
      const [two, one] = await saved()
      const asksForTag = path.length > 0
      const tagged = asksForTag && page.waitForResponse(`**/api/v1/todos/${two?.id}`)
      await deleteTwo()
      await tagged
      await page.getByRole('button', { name: 'Delete: One' }).click()
      await elsewhere('PATCH', `/${one?.id}`, { text: 'One and a half' })
      await page.goto('/account')
      await eventually(savedTexts, ['One and a half'])
    })
  }

  await t.test('is called off by saving the text that is edited on another page', async (t) => {
    const { page, context, deleteTwo, savedTexts } = await visitOneAndTwo(t, url)
    const other = await context.newPage()
    await other.goto('/home')
    await other.getByRole('link', { name: 'Edit: Two' }).click()
    const field = other.getByLabel('Text', { exact: true })
    await field.fill('Two and a half')
    await deleteTwo()
    await field.press('Enter')
    await eventually(savedTexts, ['Two and a half', 'One'])
    await other.getByRole('button', { name: 'Done: One' }).click()
    await context.clock.fastForward(TIME_IS_OVER)
    const messages = page.getByRole('region', { name: 'Messages' })
    await messages.getByText('changed somewhere else').waitFor()
    await eventually(textsOf(page), ['Two and a half', 'One'])
    assert.deepEqual(await textsOf(other)(), ['Two and a half', 'One'])
    assert.deepEqual(await savedTexts(), ['Two and a half', 'One'])
  })
})
