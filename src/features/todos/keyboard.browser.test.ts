import assert from 'node:assert/strict'
import { test } from 'node:test'
import { phone } from '../../../test/browser.ts'
import { TIME_IS_OVER } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

test('the todo page by keyboard and by touch', async (t) => {
  const { url } = await startServer(t)

  await t.test('every key of the list does what the list says', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['One', 'Two', 'Three'] })
    const press = (key: string) => page.keyboard.press(key)
    const focused = () =>
      page.evaluate<string>("document.activeElement.querySelector('.todo-text')?.textContent")

    await press('n')
    await page.keyboard.type('Four')
    await press('Enter')
    await press('Escape')
    await press('j')
    assert.equal(await focused(), 'Four')
    await press('j')
    await press('j')
    await press('k')
    assert.equal(await focused(), 'Three')
    await press('x')
    await page.getByText('Saved', { exact: true }).waitFor()
    assert.equal((await saved())[1]?.completed, true)
    await press('u')
    await eventually(async () => (await saved())[1]?.completed, false)
    await press('e')
    await page.keyboard.type(' and a half')
    await press('Enter')
    assert.equal(await focused(), 'Three and a half', 'the focus comes back to the row')
    await press('Delete')
    assert.deepEqual(await texts(), ['Four', 'Two', 'One'])
    assert.equal(await focused(), 'Two', 'the focus goes on to the next row')
    await press('u')
    assert.deepEqual(await texts(), ['Four', 'Three and a half', 'Two', 'One'])
    await press('e')
    await page.getByRole('button', { name: 'Save', exact: true }).focus()
    await press('Backspace')
    assert.equal(await page.getByLabel('Text', { exact: true }).isVisible(), true)
    await press('Escape')
    await page.getByRole('link', { name: 'Cancel' }).click()
    await press('Backspace')
    assert.deepEqual(await texts(), ['Four', 'Two', 'One'])
    await press('u')
    await press('/')
    await page.keyboard.type('half')
    await eventually(texts, ['Three and a half'])
    await press('Escape')
    await press('?')
    const dialog = page.getByRole('dialog', { name: 'Keyboard' })
    await dialog.waitFor()
    assert.equal(await dialog.locator('kbd').count(), 12)
    await press('Escape')
    await dialog.waitFor({ state: 'hidden' })
  })

  await t.test(
    'the focus comes back from a message, and stays while its words change',
    async (t) => {
      const { page, texts, saved } = await visitHome(t, url, { todos: ['One', 'Two', 'Three'] })
      const focused = () => page.locator(':focus')
      const message = page.getByRole('region', { name: 'Messages' })
      const press = async (name: string) => {
        await message.getByRole('button', { name }).focus()
        await page.keyboard.press('Enter')
      }
      await page.getByRole('link', { name: /^Open / }).click()
      await page.locator('#todos:not([aria-busy])').waitFor()
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      await eventually(texts, ['Two', 'One'])
      await press('Undo')
      assert.equal(await focused().locator('.todo-text').textContent(), 'Three')
      await page.getByText('Saved', { exact: true }).waitFor()
      await page.clock.install()
      await page.keyboard.press('Delete')
      await press('Dismiss')
      assert.equal(await focused().locator('.todo-text').textContent(), 'Two')
      await page.route('**/api/v1/todos**', (route) => route.abort('connectionrefused'))
      await page.getByLabel('New todo').fill('Four')
      await page.keyboard.press('Enter')
      await message.getByText('One change waits').waitFor()
      await message.getByRole('button', { name: 'Retry' }).focus()
      const failed = page.waitForEvent('requestfailed')
      await page.keyboard.press('Enter')
      await failed
      // The deletion is final by now, and waits too.
      await page.clock.runFor(10_000)
      await message.getByText('2 changes wait').waitFor()
      assert.equal(await focused().textContent(), 'Retry')
      await page.unroute('**/api/v1/todos**')
      await page.keyboard.press('Enter')
      await eventually(async () => (await saved()).map(({ text }) => text), ['Four', 'Two', 'One'])
      await eventually(() => focused().getAttribute('id'), 'new-text')
    },
  )

  await t.test('the focus goes on when its row was deleted elsewhere', async (t) => {
    const { page, saved, elsewhere } = await visitHome(t, url, { todos: ['One', 'Two', 'Three'] })
    const focused = () => page.locator(':focus').locator('.todo-text, h2').textContent()
    const [, two] = await saved()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await elsewhere('DELETE', `/${two?.id}`)
    await page.keyboard.press('x')
    await eventually(focused, 'One')
    for (const { id } of await saved()) await elsewhere('DELETE', `/${id}`)
    await page.keyboard.press('x')
    await eventually(focused, 'Nothing to do yet')
  })

  await t.test(
    'where the last todo goes the keys go on, and no field gets the focus',
    async (t) => {
      const { page, context, texts } = await visitHome(t, url, { ...phone, todos: ['One', 'Two'] })
      const focused = () => page.locator(':focus').locator('.todo-text, h2').textContent()
      await page.keyboard.press('j')
      await page.keyboard.press('Delete')
      for (const key of ['u', 'Control+z']) {
        await page.keyboard.press('Delete')
        assert.deepEqual(await texts(), [])
        assert.equal(await focused(), 'Nothing to do')
        await page.keyboard.press(key)
        assert.deepEqual(await texts(), ['One'])
        assert.equal(await focused(), 'One')
      }
      await page.keyboard.press('u')
      await page.getByRole('link', { name: /^Open / }).tap()
      await page.locator('#todos:not([aria-busy])').waitFor()
      await page.getByRole('button', { name: 'Done: Two' }).tap()
      await eventually(texts, ['One'])
      await page.getByRole('button', { name: 'Dismiss' }).focus()
      const other = await context.newPage()
      await other.goto('/home')
      await other.getByRole('button', { name: 'Delete: One' }).tap()
      await eventually(texts, [])
      await page.keyboard.press('Enter')
      assert.equal(await focused(), 'All done')
      await other.getByRole('button', { name: 'Undo' }).tap()
      await eventually(texts, ['One'])
      await page.getByRole('button', { name: 'Done: One' }).tap()
      await eventually(texts, [])
      assert.equal(await focused(), 'All done')
    },
  )

  await t.test('the focus stays with the words for an empty list when they change', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['One'] })
    const focused = () => page.locator(':focus').locator('h2').textContent()
    await page.clock.install()
    await page.keyboard.press('j')
    await page.keyboard.press('Delete')
    assert.equal(await focused(), 'Nothing to do')
    await page.clock.fastForward(TIME_IS_OVER)
    await eventually(saved, [])
    await eventually(focused, 'Nothing to do yet')
  })

  await t.test('letters typed into a field, or with Control, are no commands', async (t) => {
    const { page, saved } = await visitHome(t, url, { todos: ['One'] })
    await page.getByLabel('New todo').pressSequentially('xeju?/')
    assert.equal(await page.getByLabel('New todo').inputValue(), 'xeju?/')
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    await page.keyboard.press('Control+x')
    assert.equal((await saved())[0]?.completed, false)
    assert.equal(await page.locator('[aria-pressed=true].tick').count(), 0)
  })

  await t.test(
    'the keys are the same with Caps Lock and on keyboards of other scripts',
    async (t) => {
      const { page, context, texts } = await visitHome(t, url, { todos: ['One', 'Two'] })
      const keyboard = await context.newCDPSession(page)
      const CONTROL = 2
      const SHIFT = 8
      const press = async (key: string, code: string, modifiers = 0) => {
        for (const type of ['rawKeyDown', 'keyUp'] as const) {
          await keyboard.send('Input.dispatchKeyEvent', { type, key, code, modifiers })
        }
      }
      const focused = () => page.locator(':focus .todo-text').textContent()
      await press('о', 'KeyJ')
      assert.equal(await focused(), 'Two')
      await press('J', 'KeyJ')
      assert.equal(await focused(), 'One')
      // On a Dvorak keyboard the letter counts, wherever it is.
      await press('k', 'KeyV')
      assert.equal(await focused(), 'Two')
      for (const [key, code] of [
        ['я', 'KeyZ'],
        ['ζ', 'KeyZ'],
        ['Z', 'KeyZ'],
        ['z', 'Slash'],
      ] as const) {
        await page.keyboard.press('Delete')
        assert.deepEqual(await texts(), ['One'])
        await press(key, code, CONTROL | SHIFT)
        await press('ж', 'Semicolon', CONTROL)
        assert.deepEqual(await texts(), ['One'])
        await press(key, code, CONTROL)
        assert.deepEqual(await texts(), ['Two', 'One'], key)
      }
    },
  )

  await t.test('the keys can be switched off, and stay so', async (t) => {
    const { page } = await visitHome(t, url, { todos: ['One'] })
    await page.keyboard.press('?')
    await page.getByLabel('Use these keys').uncheck()
    await page.keyboard.press('Escape')
    await page.reload()
    await page.keyboard.press('n')
    assert.equal(await page.evaluate('document.activeElement === document.body'), true)
    await page.keyboard.press('?')
    await page.getByLabel('Use these keys').check()
    await page.keyboard.press('Escape')
    await page.keyboard.press('n')
    assert.equal(await page.evaluate('document.activeElement.id'), 'new-text')
  })

  await t.test('Tab leads through the page in the order in which it is read', async (t) => {
    const { page } = await visitHome(t, url, { todos: ['One'] })
    const names: string[] = []
    for (let step = 0; step < 14; step++) {
      await page.keyboard.press('Tab')
      const label = 'document.activeElement'
      names.push(
        await page.evaluate<string>(
          `(${label}.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id).textContent).join(' ') ?? ${label}.labels?.[0]?.textContent ?? ${label}.textContent).replace(/\\s+/g, ' ').trim()`,
        ),
      )
    }
    assert.deepEqual(names, [
      'Skip to the content',
      'Todo App',
      'Ann, your account',
      'Sign out',
      'New todo',
      'Add',
      'All 1',
      'Open 1',
      'Done 0',
      'Search',
      'Search',
      'Done: One',
      'Edit: One',
      'Delete: One',
    ])
  })

  await t.test('the search button, which only the focus shows, moves nothing', async (t) => {
    const { page } = await visitHome(t, url, { ...phone, todos: ['One'] })
    const top = async () => (await page.locator('.todo').boundingBox())?.y
    const before = await top()
    await page.getByLabel('Search').focus()
    await page.keyboard.press('Tab')
    const button = page.locator('#search-form button')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Search')
    assert.equal(await top(), before)
    const [box, field] = [await button.boundingBox(), await page.locator('#search').boundingBox()]
    assert.ok(box && field && box.height >= 44 && box.width >= 44)
    assert.ok(box.y >= field.y && box.y + box.height <= field.y + field.height)
    await page.getByRole('button', { name: 'Done: One' }).click()
    await eventually(() => page.locator('[aria-pressed=true].tick').count(), 1)
  })

  await t.test(
    'on a phone every control is at least 44 pixels high and wide, and in sight',
    async (t) => {
      const { page } = await visitHome(t, url, { ...phone, todos: ['✓ One', 'Two'] })
      await page.getByRole('button', { name: 'Delete: One' }).tap()
      await page.getByRole('link', { name: 'Edit: Two' }).tap()
      const controls = page.locator('a:visible, button:visible, input:visible, textarea:visible')
      let seen = 0
      for (const control of await controls.all()) {
        const box = await control.boundingBox()
        // What waits outside of the window for the focus is for the keyboard.
        if (!box || box.width <= 1) continue
        const what = await control.evaluate((element) =>
          String(element).concat(element.textContent),
        )
        assert.ok(box.height >= 44 && box.width >= 44, `${what}: ${box.width} × ${box.height}`)
        seen++
      }
      assert.ok(seen > 14, `${seen} controls`)
    },
  )

  await t.test('many messages leave the list in sight, and each can be reached', async (t) => {
    const todos = ['One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight']
    const { page, texts } = await visitHome(t, url, {
      ...phone,
      viewport: { width: 360, height: 740 },
      todos,
    })
    await page.clock.install()
    for (const text of todos.slice(1)) {
      await page.getByRole('button', { name: `Delete: ${text}` }).tap()
    }
    const box = await page.locator('#toasts').boundingBox()
    assert.ok(box && box.height <= 740 / 2, `${box?.height} pixels`)
    const isInSight = (text: string) =>
      page.evaluate<boolean>(
        `(() => { const [toast] = [...document.querySelectorAll('.toast')].filter((each) => each.textContent.includes('${text}')); const { top, bottom } = toast.getBoundingClientRect(); return top >= ${box?.y} && bottom <= innerHeight })()`,
      )
    await eventually(() => isInSight('Eight'), true)
    assert.equal(await isInSight('Two'), false)
    await page.locator('.toast', { hasText: 'Two' }).getByRole('button', { name: 'Undo' }).tap()
    assert.deepEqual(await texts(), ['Two', 'One'])
  })

  for (const width of [320, 390, 768, 1280, 3840]) {
    await t.test(`nothing is cut off at ${width} pixels`, async (t) => {
      const { page } = await visitHome(t, url, {
        viewport: { width, height: 800 },
        todos: ['Short', 'W'.repeat(400), 'Many words '.repeat(60), 'مرحبا بالعالم'],
      })
      const isCutOff = 'document.documentElement.scrollWidth > innerWidth'
      assert.equal(await page.evaluate(isCutOff), false)
      await page.locator('[data-action=edit]').nth(1).click()
      await page.locator('[data-action=delete]').last().click()
      assert.equal(await page.evaluate(isCutOff), false)
    })
  }
})
