import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

const many = Array.from({ length: 50 }, (_, index) => `Todo ${index + 1}`)

test('the links of the todo page do as links do', async (t) => {
  const { url } = await startServer(t)

  await t.test('Back leads to where the person was on the page before', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: many })
    const firstText = async () => (await texts())[0]
    const position = () => page.evaluate<number>('Math.round(scrollY)')
    const focused = () => page.evaluate<string>('document.activeElement.className')
    const next = page.getByRole('link', { name: 'Next' })
    await next.scrollIntoViewIfNeeded()
    const before = await position()
    assert.ok(before > 0)
    await next.click()
    await eventually(firstText, 'Todo 25')
    await eventually(focused, 'todo')
    assert.equal(await position(), 0)
    await page.goBack()
    await eventually(firstText, 'Todo 50')
    assert.equal(await focused(), 'todo')
    assert.equal(await position(), before)
    const isInSight = 'document.activeElement.getBoundingClientRect().bottom > 0'
    assert.equal(await page.evaluate(isInSight), true)
  })

  await t.test(
    'Back and Forward lead to where the person was, however long the pages are',
    async (t) => {
      const { page, texts } = await visitHome(t, url, { todos: [...many, 'One', 'Two', 'Three'] })
      const firstText = async () => (await texts())[0]
      const position = () => page.evaluate<number>('Math.round(scrollY)')
      await page.goto('/home?page=2')
      const next = page.getByRole('link', { name: 'Next' })
      await next.scrollIntoViewIfNeeded()
      const before = await position()
      assert.ok(before > 0)
      await next.click()
      await eventually(firstText, 'Todo 3')
      await page.goBack()
      await eventually(firstText, 'Todo 28')
      await eventually(position, before)
      const isInSight = 'document.activeElement.getBoundingClientRect().bottom > 0'
      assert.equal(await page.evaluate(isInSight), true)
      await page.goForward()
      await eventually(firstText, 'Todo 3')
      await page.getByRole('link', { name: /^All / }).click()
      await eventually(firstText, 'Three')
      const noted = () => page.evaluate<unknown>('history.state?.scrolledTo')
      await page.evaluate('scrollTo(0, 300)')
      await eventually(noted, 300)
      await page.goBack()
      await eventually(firstText, 'Todo 3')
      await page.goForward()
      await eventually(firstText, 'Three')
      await eventually(position, 300)
    },
  )

  await t.test('with Shift they are left to the browser, which opens a window', async (t) => {
    const { page } = await visitHome(t, url, { todos: ['One'] })
    // No window: a busy machine is slow to open one.
    await page.evaluate(
      "addEventListener('click', (event) => { window.wasLeft = !event.defaultPrevented; event.preventDefault() })",
    )
    for (const name of [/^Open/, 'Edit: One']) {
      const link = page.getByRole('link', { name })
      await link.click({ modifiers: ['Shift'] })
      assert.equal(await page.evaluate('wasLeft'), true)
      await link.click()
      assert.equal(await page.evaluate('wasLeft'), false)
    }
  })

  await t.test('one that leads to the present view adds no step to go back', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: ['One', '✓ Two'] })
    const steps = () => page.evaluate<number>('history.length')
    const open = page.getByRole('link', { name: /^Open/ })
    const before = await steps()
    for (let click = 0; click < 4; click++) await open.click()
    await eventually(texts, ['One'])
    assert.equal(await steps(), before + 1)
    await page.goBack()
    await eventually(texts, ['Two', 'One'])
  })
})
