import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Route } from 'playwright-core'
import { API, edit, enter } from '../../../test/additions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

const refuse = (route: Route) =>
  route.fulfill({
    status: 403,
    contentType: 'application/problem+json',
    body: JSON.stringify({ detail: 'Not today.' }),
  })

test('a text that the server refuses', async (t) => {
  const { url } = await startServer(t)

  await t.test('of a new todo is there to be mended, as long as it takes', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['Old'] })
    await page.clock.install()
    const input = page.getByLabel('New todo')
    await input.fill('x'.repeat(2001))
    await input.press('Enter')
    await input.pressSequentially('Half of the next')
    const field = page.getByLabel('Text', { exact: true })
    await page.locator('.todo').getByText('at most 2000 characters').waitFor()
    const message = page.getByRole('region', { name: 'Messages' }).locator('.toast')
    // As without a script.
    const reason = 'The text must have at most 2000 characters.'
    assert.match((await message.textContent()) ?? '', RegExp(`^\\s*Not added: ${reason} “xxx`))
    assert.equal(await page.getByText('Saved', { exact: true }).count(), 0)
    await page.clock.runFor(60_000)
    assert.equal(await message.count(), 0)
    assert.equal((await field.inputValue()).length, 2001)
    assert.equal(await input.inputValue(), 'Half of the next')
    assert.equal(await page.evaluate('document.activeElement.id'), 'new-text')

    await page.getByRole('link', { name: /^Done / }).click()
    await eventually(texts, [])
    await field.fill('Shorter')
    await field.press('Enter')
    await eventually(async () => (await saved()).map(({ text }) => text), ['Shorter', 'Old'])
    await page.getByRole('link', { name: /^All / }).click()
    await eventually(texts, ['Shorter', 'Old'])
    await eventually(() => page.locator('.count').allTextContents(), ['2', '2', '0'])
  })

  await t.test('is told of until it is saved, left or deleted', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['Old'] })
    const field = page.getByLabel('Text', { exact: true })
    const messages = page.locator('.toast')
    const refused = messages.getByText(/^Not (added|saved)/)
    const add = async () => {
      await enter(page, 'x'.repeat(2001))
      await refused.waitFor()
    }
    await add()
    await field.fill('Shorter')
    await field.press('Enter')
    await eventually(async () => (await saved())[0]?.text, 'Shorter')
    assert.equal(await messages.count(), 0)
    assert.equal(await page.locator('#alarm').textContent(), '')

    await edit(page, 'Old', 'x'.repeat(2001))
    await refused.waitFor()
    await field.press('Escape')
    assert.equal(await messages.count(), 0)

    await add()
    await page.getByRole('link', { name: 'Cancel' }).click()
    await messages.getByText(/^Deleted/).waitFor()
    assert.equal(await messages.count(), 1)
  })

  await t.test('says why to those who listen also once its todo is saved', async (t) => {
    const { page, saved } = await visitHome(t, url)
    const held = Promise.withResolvers<void>()
    await page.route(API, async (route) => {
      await held.promise
      await route.continue()
    })
    await enter(page, 'Milk')
    await edit(page, 'Milk', '')
    const field = page.getByLabel('Text', { exact: true })
    const why = async () => {
      const id = (await field.getAttribute('aria-describedby')) ?? 'none'
      const [words] = await page.locator(`[id="${id}"]`).allTextContents()
      return words
    }
    const said = 'The text must have at least 1 character.'
    await eventually(why, said)
    held.resolve()
    await eventually(async () => (await saved()).length, 1)
    await page.locator('.todo[id]:not([id*=new])').waitFor()
    assert.equal(await why(), said)
  })

  await t.test('of a new todo that is edited meanwhile does not take the draft', async (t) => {
    const { page, saved } = await visitHome(t, url)
    const held = Promise.withResolvers<void>()
    await page.route(
      '**/api/v1/todos',
      async (route) => {
        await held.promise
        await refuse(route)
      },
      { times: 1 },
    )
    await page.getByLabel('New todo').fill('Draft')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Edit: Draft' }).click()
    await page.keyboard.type(', longer')
    held.resolve()
    await page.locator('.todo').getByText('Not today.').waitFor()
    await page.keyboard.type(' and longer')
    await page.keyboard.press('Enter')
    await eventually(
      async () => (await saved()).map(({ text }) => text),
      ['Draft, longer and longer'],
    )
  })

  await t.test('can be let go, and Undo brings it back', async (t) => {
    const { page, saved } = await visitHome(t, url)
    await page.route('**/api/v1/todos', refuse, { times: 1 })
    await page.getByLabel('New todo').fill('Mine')
    await page.keyboard.press('Enter')
    const messages = page.getByRole('region', { name: 'Messages' })
    await messages.getByRole('button', { name: 'Edit' }).click()
    await page.keyboard.press('Escape')
    assert.deepEqual(await page.locator('.todo:visible').count(), 0)
    assert.deepEqual(await page.locator('.count').allTextContents(), ['0', '0', '0'])
    await messages.getByRole('button', { name: 'Undo' }).click()
    await page.getByLabel('Text', { exact: true }).press('Enter')
    await eventually(async () => (await saved()).map(({ text }) => text), ['Mine'])
  })

  await t.test('of an edit is in its field again', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['One', 'Two'] })
    await page.route('**/api/v1/todos/*', refuse, { times: 1 })
    await page.getByRole('link', { name: 'Edit: One' }).click()
    const field = page.getByLabel('Text', { exact: true })
    await field.fill('Mine')
    await field.press('Enter')
    await page.locator('.todo').getByText('Not saved: Not today.').waitFor()
    assert.equal(await field.inputValue(), 'Mine')
    // Opening another field saves only what can be saved.
    await page.getByRole('link', { name: 'Edit: Two' }).click()
    assert.equal(await field.count(), 2)
    await page.keyboard.press('Escape')
    await field.press('Enter')
    await eventually(async () => (await saved()).map(({ text }) => text), ['Two', 'Mine'])
    assert.deepEqual(await texts(), ['Two', 'Mine'])
  })

  await t.test('since its todo was deleted somewhere else can be added anew', async (t) => {
    const { page, texts, saved, elsewhere } = await visitHome(t, url, { todos: ['Start', 'Two'] })
    await page.getByRole('link', { name: 'Edit: Start' }).click()
    await elsewhere('DELETE', `/${(await saved())[1]?.id}`)
    const field = page.getByLabel('Text', { exact: true })
    await field.fill('Mine')
    await field.press('Enter')
    await page.locator('.todo').getByText('deleted somewhere else').waitFor()
    await eventually(texts, ['Two'])
    assert.equal(await field.inputValue(), 'Mine')
    await field.press('Enter')
    await eventually(async () => (await saved()).map(({ text }) => text), ['Mine', 'Two'])
    assert.deepEqual(await texts(), ['Mine', 'Two'])
    await eventually(() => page.locator('.count').allTextContents(), ['2', '2', '0'])
  })
})
