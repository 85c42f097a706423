import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edit } from '../../../test/additions.ts'
import { phone } from '../../../test/browser.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

const API = '**/api/v1/todos**'

test('the todo page', async (t) => {
  const { url } = await startServer(t)

  await t.test('a todo that is typed and entered is there at once, and is saved', async (t) => {
    const { page, texts, saved, errors } = await visitHome(t, url, { todos: ['Old'] })
    await page.evaluate('window.isSamePage = true')
    let letThrough = () => {}
    const held = new Promise<void>((resolve) => {
      letThrough = resolve
    })
    await page.route(API, async (route) => {
      await held
      await route.continue()
    })
    await page.getByLabel('New todo').fill('  Buy milk ')
    await page.keyboard.press('Enter')
    assert.deepEqual(await texts(), ['Buy milk', 'Old'])
    assert.equal(await page.getByLabel('New todo').inputValue(), '')
    await page.getByText('Saving…').waitFor()
    letThrough()
    await page.getByText('Saved', { exact: true }).waitFor()
    assert.deepEqual(
      (await saved()).map(({ text }) => text),
      ['Buy milk', 'Old'],
    )
    assert.equal(await page.evaluate('window.isSamePage'), true, 'without a new page')
    assert.equal(await page.locator('[data-count=open]').textContent(), '2')
    assert.deepEqual(errors, [])
  })

  await t.test('a tick is seen at once, and taken back when it is refused', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['Buy milk'] })
    let refuse = () => {}
    const held = new Promise<void>((resolve) => {
      refuse = resolve
    })
    await page.route('**/api/v1/todos/*', async (route) => {
      if (route.request().method() !== 'PATCH') return route.continue()
      await held
      await route.fulfill({
        status: 403,
        contentType: 'application/problem+json',
        body: JSON.stringify({ detail: 'Not today.' }),
      })
    })
    const tick = page.getByRole('button', { name: 'Done: Buy milk' })
    await tick.click()
    assert.equal(await tick.getAttribute('aria-pressed'), 'true')
    assert.equal(await page.locator('[data-count=done]').textContent(), '1')
    refuse()
    await page.getByRole('region', { name: 'Messages' }).getByText('Not today.').waitFor()
    await eventually(() => tick.getAttribute('aria-pressed'), 'false')
    await eventually(() => page.locator('[data-count=done]').textContent(), '0')
    assert.equal((await saved())[0]?.completed, false)
  })

  await t.test('what a finger has opened again looks open', async (t) => {
    const { page } = await visitHome(t, url, { ...phone, todos: ['Buy milk'] })
    const tick = page.getByRole('button', { name: 'Done: Buy milk' })
    const style = (selector: string, property: string) => () =>
      page.evaluate<string>(
        `getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${property}')`,
      )
    const looks = [style('.tick-mark', 'color'), style('.todo', 'background-color')]
    const look = () => Promise.all(looks.map((each) => each()))
    const before = await look()
    await tick.tap()
    await page.locator('.tick[aria-pressed=true]').waitFor()
    await tick.tap()
    await page.locator('.tick[aria-pressed=false]').waitFor()
    assert.equal(await page.locator('.tick:hover').count(), 1, 'as browsers take a finger')
    await eventually(look, before)
  })

  await t.test('each “Saved” stands as long as the first one', async (t) => {
    const { page } = await visitHome(t, url, { todos: ['One', 'Two'] })
    await page.clock.install({ time: 0 })
    await page.clock.pauseAt(1_000)
    const state = page.locator('#save-state')
    const says = (text: string) =>
      eventually(async () => {
        await page.clock.runFor(1)
        return state.textContent()
      }, text)
    await page.getByRole('button', { name: 'Done: One' }).click()
    await says('Saved')
    await page.clock.runFor(1_500)
    const held = Promise.withResolvers<void>()
    await page.route(API, async (route) => {
      await held.promise
      await route.continue()
    })
    await page.getByRole('button', { name: 'Done: Two' }).click()
    await page.clock.runFor(200)
    await says('Saving…')
    held.resolve()
    await says('Saved')
    await page.clock.runFor(1_500)
    assert.equal(await state.textContent(), 'Saved')
    await page.clock.runFor(1_000)
    assert.equal(await state.textContent(), '')
  })

  await t.test('Enter saves an edited text and Escape leaves it as it was', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['Buy milk'] })
    await page.getByRole('link', { name: 'Edit: Buy milk' }).click()
    await page.getByLabel('Text', { exact: true }).fill('Buy oats')
    await page.keyboard.press('Escape')
    assert.deepEqual(await texts(), ['Buy milk'])
    await page.locator('.todo-text').dblclick()
    await page.getByLabel('Text', { exact: true }).fill('Buy oats\nand apples')
    await page.keyboard.press('Enter')
    assert.deepEqual(await texts(), ['Buy oats\nand apples'])
    await eventually(async () => (await saved()).map(({ text }) => text), ['Buy oats\nand apples'])
    assert.equal(new URL(page.url()).pathname, '/home')
  })

  await t.test('a text that is emptied is not saved, and the field says so', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['Buy milk'] })
    await edit(page, 'Buy milk', '   ')
    await page.getByRole('alert').getByText('at least 1 character').waitFor()
    await page.keyboard.press('Escape')
    assert.deepEqual(await texts(), ['Buy milk'])
    assert.equal((await saved())[0]?.text, 'Buy milk')
  })

  await t.test('Undo brings a deleted todo back to its place', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['One', 'Two', 'Three'] })
    await page.getByRole('button', { name: 'Delete: Two' }).click()
    assert.deepEqual(await texts(), ['Three', 'One'])
    assert.equal(await page.locator('[data-count=all]').textContent(), '2')
    await page.getByRole('button', { name: 'Undo' }).click()
    assert.deepEqual(await texts(), ['Three', 'Two', 'One'])
    assert.equal(await page.locator('[data-count=all]').textContent(), '3')
    assert.equal((await saved()).length, 3)
  })

  await t.test('a deletion is final when the page is left', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['One', 'Two'] })
    await page.getByRole('button', { name: 'Delete: Two' }).click()
    assert.equal((await saved()).length, 2, 'there is time to think again')
    await page.goto('/login')
    await eventually(async () => (await saved()).map(({ text }) => text), ['One'])
  })

  await t.test('a deletion is final after some seconds', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['One', 'Two'] })
    await page.clock.install()
    await page.getByRole('button', { name: 'Delete: Two' }).click()
    await page.clock.fastForward(10_000)
    await eventually(async () => (await saved()).map(({ text }) => text), ['One'])
  })

  await t.test('two texts that meet are both shown, and the person chooses', async (t) => {
    const { page, texts, saved, elsewhere } = await visitHome(t, url, { todos: ['Start'] })
    const [{ id } = { id: 0 }] = await saved()
    const meet = async (theirs: string, mine: string) => {
      await page.locator('[data-action=edit]:visible').click()
      await page.getByLabel('Text', { exact: true }).fill(mine)
      await elsewhere('PATCH', `/${id}`, { text: theirs })
      await page.keyboard.press('Enter')
      const dialog = page.getByRole('dialog', { name: 'Changed somewhere else meanwhile' })
      await dialog.getByText(theirs, { exact: true }).waitFor()
      await dialog.getByText(mine, { exact: true }).waitFor()
      return dialog
    }
    const text = async () => (await saved())[0]?.text

    const first = await meet('Theirs 1', 'Mine 1')
    await first.getByRole('button', { name: 'Take theirs' }).click()
    await eventually(texts, ['Theirs 1'])
    assert.equal(await text(), 'Theirs 1')

    const second = await meet('Theirs 2', 'Mine 2')
    await second.getByRole('button', { name: 'Save yours' }).click()
    await eventually(text, 'Mine 2')
    assert.deepEqual(await texts(), ['Mine 2'])

    await meet('Theirs 3', 'Mine 3')
    await page.keyboard.press('Escape')
    assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'Mine 3')
    await page.keyboard.press('Enter')
    await eventually(text, 'Mine 3')
  })

  await t.test(
    'an edit of a todo that was only ticked elsewhere is saved without asking',
    async (t) => {
      const { page, saved, elsewhere } = await visitHome(t, url, { todos: ['Start'] })
      const [{ id } = { id: 0 }] = await saved()
      await page.getByRole('link', { name: 'Edit: Start' }).click()
      await elsewhere('PATCH', `/${id}`, { completed: true })
      await page.getByLabel('Text', { exact: true }).fill('Mine')
      await page.keyboard.press('Enter')
      await eventually(async () => (await saved())[0]?.text, 'Mine')
      assert.equal((await saved())[0]?.completed, true)
      assert.equal(await page.locator('dialog[open]').count(), 0)
    },
  )

  await t.test('what is printed is dark on white in every theme', async (t) => {
    const { page } = await visitHome(t, url, { colorScheme: 'dark', todos: ['One'] })
    const colour = () =>
      page.evaluate<string>("getComputedStyle(document.querySelector('.todo-text')).color")
    await page.getByRole('button', { name: 'Light' }).click()
    const onWhite = await colour()
    for (const theme of ['As the system', 'Dark']) {
      await page.emulateMedia({ media: 'screen' })
      await page.getByRole('button', { name: theme }).click()
      await page.emulateMedia({ media: 'print' })
      assert.equal(await colour(), onWhite, theme)
    }
  })

  await t.test('what is printed is the list, and what of it is done', async (t) => {
    const todos = ['✓ Done', 'Open', 'Edited', 'Deleted']
    const { page } = await visitHome(t, url, { colorScheme: 'dark', todos })
    await page.getByRole('button', { name: 'Delete: Deleted' }).click()
    await page.getByRole('link', { name: 'Edit: Edited' }).click()
    await page.locator('.toast').waitFor()
    await page.getByRole('button', { name: 'Done: Open' }).hover()
    await page.emulateMedia({ media: 'print' })
    const [words = ''] = await page.locator('body').allInnerTexts()
    const lines = words.split(/\s*\n\s*/).filter(Boolean)
    assert.deepEqual(lines, ['Todo App', 'Todos', '2 to do', 'Open', 'Done'])
    const controls = page.locator('a, button, input, textarea, summary').filter({ visible: true })
    const names = await controls.evaluateAll((all) =>
      all.map((each) => each.getAttribute('aria-label') ?? each.className),
    )
    assert.deepEqual(names, ['brand', 'tick', 'Text', 'tick', 'tick'])
    const style = (pressed: boolean, part: string, property: string) =>
      page.evaluate<string>(
        `getComputedStyle(document.querySelector('.tick[aria-pressed=${pressed}] ${part}')).getPropertyValue('${property}')`,
      )
    assert.equal(await style(false, '.icon', 'visibility'), 'hidden')
    // Teal on no ground of its own.
    const line = await style(true, '.tick-mark', 'border-top-color')
    assert.equal(await style(true, '.icon', 'stroke'), line)
    assert.equal(await style(true, '.tick-mark', 'background-color'), 'rgba(0, 0, 0, 0)')
  })
})
