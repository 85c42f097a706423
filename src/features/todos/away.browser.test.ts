import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edit } from '../../../test/additions.ts'
import { startServer } from '../../../test/server.ts'
import { AWAY, eventually, visitHome } from '../../../test/todo-page.ts'

const API = '**/api/v1/todos**'

test('the todo page while the server is away', async (t) => {
  const { url } = await startServer(t)

  await t.test('what was done is kept and said, and Retry saves it in its order', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['Old'] })
    await page.route(API, (route) => route.fulfill(AWAY))
    await page.getByLabel('New todo').fill('New')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Done: New' }).click()
    await page.getByRole('button', { name: 'Done: Old' }).click()
    const messages = page.getByRole('region', { name: 'Messages' })
    // Each of them was a try, and the last must not find the server there.
    await messages.getByText('The server cannot be reached. 3 changes wait here').waitFor()
    await page.getByText('Not saved yet').waitFor()
    assert.deepEqual(await texts(), ['New', 'Old'])
    await page.unroute(API)
    await messages.getByRole('button', { name: 'Retry' }).click()
    await eventually(
      async () => (await saved()).map(({ text, completed }) => [text, completed]),
      [
        ['New', true],
        ['Old', true],
      ],
    )
    await eventually(() => messages.getByText('cannot be reached').count(), 0)
  })

  await t.test('it tries again by itself, also after a 503', async (t) => {
    const { page, saved } = await visitHome(t, url)
    let tries = 0
    await page.route(API, (route) =>
      ++tries < 2
        ? route.fulfill({ status: 503, headers: { 'retry-after': '1' }, body: '' })
        : route.continue(),
    )
    await page.getByLabel('New todo').fill('Patient')
    await page.keyboard.press('Enter')
    await eventually(async () => (await saved()).map(({ text }) => text), ['Patient'])
  })

  await t.test('an answer that is lost on the way adds nothing twice', async (t) => {
    const { page, texts, saved } = await visitHome(t, url)
    let isLost = false
    await page.route(API, async (route) => {
      if (isLost || route.request().method() !== 'POST') return route.continue()
      isLost = true
      await route.fetch()
      await route.fulfill(AWAY)
    })
    await page.getByLabel('New todo').fill('Once')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByText('Saved', { exact: true }).waitFor()
    assert.deepEqual(
      (await saved()).map(({ text }) => text),
      ['Once'],
    )
    assert.deepEqual(await texts(), ['Once'])
  })

  await t.test('an edit whose answer is lost is no conflict with itself', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['Start'] })
    let isLost = false
    await page.route('**/api/v1/todos/*', async (route) => {
      if (isLost || route.request().method() !== 'PATCH') return route.continue()
      isLost = true
      await route.fetch()
      await route.fulfill(AWAY)
    })
    await edit(page, 'Start', 'Mine')
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByText('Saved', { exact: true }).waitFor()
    assert.equal((await saved())[0]?.text, 'Mine')
    assert.equal(await page.locator('dialog[open]').count(), 0)
  })

  await t.test('a list that cannot be read says so, and Retry reads it', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: ['Open', '✓ Done'] })
    await page.route(API, (route) => route.fulfill(AWAY))
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.getByText('The list cannot be read').first().waitFor()
    await page.unroute(API)
    await page.getByRole('button', { name: 'Retry' }).click()
    await eventually(texts, ['Done'])
  })

  await t.test('a list that could not be read is read when the network is back', async (t) => {
    const { page, context, texts } = await visitHome(t, url, { todos: ['Open', '✓ Done'] })
    await page.clock.install()
    await context.setOffline(true)
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.getByText('The list cannot be read').first().waitFor()
    await context.setOffline(false)
    await eventually(texts, ['Done'])
    await eventually(() => page.locator('.toast').count(), 0)
  })
})
