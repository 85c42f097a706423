import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

const API = '**/api/v1/todos**'
const many = Array.from({ length: 30 }, (_, index) => `Todo ${index + 1}`)
const summary = (page: Page) => page.locator('#summary').textContent()
const isMarked = (page: Page) => page.locator('#todos[data-behind]').count()
const announced = (page: Page) => page.locator('#announcer').textContent()
const messages = (page: Page) => page.locator('.toast').count()

test('a view that is not there yet', async (t) => {
  const { url } = await startServer(t)

  await t.test('is not taken for the rows of the one before when it cannot be read', async (t) => {
    const { page, context, texts } = await visitHome(t, url, { todos: ['Open', 'Too'] })
    await context.setOffline(true)
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    assert.equal(await summary(page), 'Not loaded yet')
    assert.equal(await isMarked(page), 1)
    for (const name of ['Open', 'Too']) {
      await page.getByRole('button', { name: `Delete: ${name}` }).click()
    }
    assert.equal(await page.locator('.empty:visible').count(), 0)
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await page.getByRole('link', { name: /^All/ }).click()
    assert.equal(await summary(page), '1 to do')
    assert.equal(await isMarked(page), 0)
    assert.deepEqual(await texts(), ['Too'])
  })

  await t.test('is not announced, and moves nothing, when it cannot be read', async (t) => {
    const { page, context, texts } = await visitHome(t, url, { todos: many })
    const next = page.getByRole('link', { name: 'Next' })
    await next.scrollIntoViewIfNeeded()
    const before = await page.evaluate<number>('scrollY')
    assert.ok(before > 0)
    await context.setOffline(true)
    await next.focus()
    await page.keyboard.press('Enter')
    await page.getByText('The list cannot be read').first().waitFor()
    assert.equal(await announced(page), '')
    assert.ok((await page.evaluate<number>('scrollY')) >= before)
    assert.equal(await page.locator(':focus').textContent(), 'Next')
    assert.equal((await texts())[0], 'Todo 30')
    await context.setOffline(false)
    await eventually(texts, ['Todo 5', 'Todo 4', 'Todo 3', 'Todo 2', 'Todo 1'])
    assert.equal(await next.isVisible(), false)
    assert.equal(await page.locator(':focus.todo').count(), 1)
  })

  await t.test('is read again by itself until that works, and says so once', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: ['Open', '✓ Done'] })
    await page.clock.install()
    await page.route(API, (route) => route.abort('connectionrefused'))
    let tries = 0
    page.on('request', (request) => {
      if (request.url().includes('sort=-id')) tries++
    })
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    for (const [wait, made] of [
      [2_500, 2],
      [2_500, 2],
      [2_500, 3],
    ] as const) {
      await page.clock.fastForward(wait)
      await eventually(async () => tries, made)
      await page.locator('#todos:not([aria-busy])').waitFor()
    }
    assert.equal(await messages(page), 0)
    await page.getByRole('link', { name: /^Done/ }).click()
    await eventually(() => messages(page), 1)
    await page.unroute(API)
    await page.clock.fastForward(2_500)
    await eventually(texts, ['Done'])
    assert.equal(await messages(page), 0)
    assert.equal(await isMarked(page), 0)
    assert.equal(await announced(page), 'The list is loaded.')
  })

  await t.test(
    'is said to be loading on a slow line, and announced when it is there',
    async (t) => {
      const { page, texts } = await visitHome(t, url, { todos: many.slice(0, 3) })
      const release = Promise.withResolvers<void>()
      await page.route(
        ({ search }) => search.includes('q='),
        async (route) => {
          await release.promise
          await route.continue().catch(() => {})
        },
      )
      const field = page.getByLabel('Search')
      for (const letters of ['zz', 'q']) {
        const asked = page.waitForRequest(/q=/)
        await field.pressSequentially(letters)
        await asked
      }
      await eventually(() => summary(page), 'Loading…')
      assert.equal(await isMarked(page), 1)
      assert.equal(await announced(page), '')
      release.resolve()
      await eventually(() => announced(page), 'Nothing found')
      assert.equal(await summary(page), '0 todos with “zzq”')
      await page.goBack()
      await eventually(async () => (await texts()).length, 3)
    },
  )
})

test('a view that was read a moment ago is read anew for who comes back', async (t) => {
  const { url } = await startServer(t)
  const { page, texts, elsewhere } = await visitHome(t, url, { todos: ['One'] })
  let reads = 0
  page.on('request', (request) => {
    if (request.url().includes('sort=-id')) reads++
  })
  await page.clock.install()
  await elsewhere('POST', '', { text: 'From elsewhere' })
  await page.evaluate(
    "document.dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('focus'))",
  )
  await page.clock.fastForward(15_000)
  await eventually(texts, ['From elsewhere', 'One'])
  await page.locator('#todos:not([aria-busy])').waitFor()
  for (let minute = 0; minute < 3; minute++) await page.clock.fastForward(60_000)
  assert.equal(reads, 1)
})
