import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edit } from '../../../test/additions.ts'
import { startServer } from '../../../test/server.ts'
import { AWAY, eventually, visitHome } from '../../../test/todo-page.ts'

test('editing on the todo page', async (t) => {
  const { url } = await startServer(t)

  await t.test(
    'a text whose lines end as on Windows is changed by nobody but the person',
    async (t) => {
      const { page, texts, saved, elsewhere } = await visitHome(t, url)
      const field = page.getByLabel('Text', { exact: true })
      const stored = { text: 'Milk\r\nand bread', completed: false }
      await elsewhere('POST', '', stored)
      await page.getByRole('link', { name: /^Done/ }).click()
      await eventually(texts, [])
      await page.getByRole('link', { name: /^All/ }).click()
      await page.getByRole('link', { name: /^Edit: Milk/ }).click()
      await field.press('Enter')
      await eventually(() => field.count(), 0)
      await page.getByText('Saved', { exact: true }).waitFor({ state: 'hidden' })
      const [todo] = await saved()
      assert.equal(todo?.text, stored.text)
      await page.reload()
      await page.getByRole('link', { name: /^Edit: Milk/ }).click()
      await field.press('End')
      await field.pressSequentially('!')
      await elsewhere('PATCH', `/${todo?.id}`, { completed: true })
      await field.press('Enter')
      await page.getByText('Saved', { exact: true }).waitFor()
      assert.equal(await page.locator('dialog[open]').count(), 0)
      assert.equal((await saved())[0]?.text, 'Milk\nand bread!')
    },
  )

  await t.test('an open field stays when the view changes, with what is typed', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['A', 'B', '✓ C'] })
    const filter = (name: string) => page.getByRole('link', { name: new RegExp(`^${name} `) })
    const field = page.getByLabel('Text', { exact: true })
    await page.getByRole('link', { name: 'Edit: A' }).click()
    await field.fill('A and more')
    await filter('Done').click()
    await eventually(texts, ['C'])
    assert.equal(await field.inputValue(), 'A and more')
    await page.getByLabel('Search').fill('B')
    await eventually(texts, [])
    await page.goBack()
    await eventually(texts, ['C'])
    await field.focus()
    await page.goBack()
    await eventually(texts, ['C', 'B'])
    await page.keyboard.type('!')
    assert.equal(await field.inputValue(), 'A and more!')

    await filter('Done').click()
    await eventually(texts, ['C'])
    await field.press('Enter')
    await eventually(async () => (await saved()).map(({ text }) => text), ['C', 'B', 'A and more!'])
    await eventually(texts, ['C'])
    await filter('All').click()
    await eventually(texts, ['C', 'B', 'A and more!'])
  })

  await t.test('a todo that is ticked while it is edited stays until it is saved', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['A', 'B'] })
    await page.getByRole('link', { name: /^Open / }).click()
    await page.clock.install()
    await page.getByRole('link', { name: 'Edit: A' }).click()
    await page.getByRole('button', { name: 'Done: A' }).click()
    await page.clock.runFor(1_000)
    const field = page.getByLabel('Text', { exact: true })
    await field.fill('A and more')
    await field.press('Enter')
    await eventually(async () => (await saved())[1]?.text, 'A and more')
    await eventually(texts, ['B'])
  })

  await t.test('a conflict of a todo that is no longer in view loses no text', async (t) => {
    const { page, saved, elsewhere } = await visitHome(t, url, { todos: ['A', '✓ B'] })
    const id = (await saved())[1]?.id
    const field = page.getByLabel('Text', { exact: true })
    await page.getByRole('link', { name: 'Edit: A' }).click()
    await field.fill('Mine')
    await elsewhere('PATCH', `/${id}`, { text: 'Theirs' })
    const held = Promise.withResolvers<void>()
    await page.route(`**/api/v1/todos/${id}`, async (route) => {
      await held.promise
      await route.continue()
    })
    await field.press('Enter')
    await page.getByRole('link', { name: /^Done / }).click()
    await page.locator('.todo-text', { hasText: 'B' }).waitFor()
    held.resolve()
    await page.getByRole('dialog').getByText('Keep on editing').click()
    assert.equal(await field.inputValue(), 'Mine')
    await field.press('Enter')
    await eventually(async () => (await saved())[1]?.text, 'Mine')
  })
  await t.test('two conflicts are shown one after the other', async (t) => {
    const { page, texts, saved, elsewhere } = await visitHome(t, url, { todos: ['One', 'Two'] })
    const todos = await saved()
    await page.route('**/api/v1/todos/*', (route) => route.fulfill(AWAY))
    for (const { id, text } of todos) {
      const refused = page.waitForResponse((response) => response.status() === AWAY.status)
      await edit(page, text, `${text}, mine`)
      await (await refused).finished()
      await elsewhere('PATCH', `/${id}`, { text: `${text}, theirs` })
    }
    await page.unroute('**/api/v1/todos/*')
    const second = page.waitForResponse(
      (response) =>
        response.request().method() === 'GET' && response.url().endsWith(`/${todos[1]?.id}`),
    )
    await page.getByRole('button', { name: 'Retry' }).click()
    await (await second).finished()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Two, mine').waitFor()
    await dialog.getByRole('button', { name: 'Take theirs' }).click()
    await dialog.getByText('One, mine').waitFor()
    await dialog.getByRole('button', { name: 'Save yours' }).click()
    await eventually(
      async () => (await saved()).map(({ text }) => text),
      ['Two, theirs', 'One, mine'],
    )
    await eventually(texts, ['Two, theirs', 'One, mine'])
  })
  await t.test('a field that the server drew is saved without asking', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['One & "two"'] })
    await page.goto(`/home?edit=${(await saved())[0]?.id}`)
    const field = page.getByLabel('Text', { exact: true })
    await field.fill('Mine')
    await field.press('Enter')
    await eventually(async () => (await saved())[0]?.text, 'Mine')
    assert.equal(await page.locator('dialog[open]').count(), 0)
  })

  await t.test('a key that ends the composing of letters does nothing else', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['One'] })
    // As Safari does it: the composing is over by then, and only the old code tells of it.
    const compose = (key: string) =>
      page.evaluate(
        `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', keyCode: 229, bubbles: true, cancelable: true }))`,
      )
    const newText = page.getByLabel('New todo')
    await newText.focus()
    await compose('Escape')
    assert.equal(await page.evaluate('document.activeElement.id'), 'new-text')
    await page.getByRole('link', { name: 'Edit: One' }).click()
    const field = page.getByLabel('Text', { exact: true })
    assert.equal(await field.getAttribute('enterkeyhint'), 'done')
    await field.fill('日本')
    await compose('Enter')
    await compose('Escape')
    assert.equal(await field.inputValue(), '日本')
    await field.press('Enter')
    await eventually(async () => (await saved())[0]?.text, '日本')
  })
})
