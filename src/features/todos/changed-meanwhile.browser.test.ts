import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

const TIME_IS_OVER = 15_000
const textsOf = (page: Page) => () => page.locator('.todo:visible .todo-text').allTextContents()
const countOn = (page: Page) => page.locator('[data-count=all]').textContent()

/** The todo page of one who has One and Two, with a clock that is moved by hand. */
async function visit(...[t, url]: [Parameters<typeof visitHome>[0], string]) {
  const visitor = await visitHome(t, url, { todos: ['One', 'Two'] })
  const { page, context, saved } = visitor
  await context.clock.install()
  return {
    ...visitor,
    deleteTwo: () => page.getByRole('button', { name: 'Delete: Two' }).click(),
    savedTexts: async () => (await saved()).map(({ text }) => text),
  }
}

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
    const open = async (t: Parameters<typeof visitHome>[0]) => {
      const visitor = await visit(t, url)
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
    const { page, context, deleteTwo, savedTexts } = await visit(t, url)
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
