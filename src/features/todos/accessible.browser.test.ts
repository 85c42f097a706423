import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enter } from '../../../test/additions.ts'
import { assertAccessible } from '../../../test/axe.ts'
import { desktop, phone } from '../../../test/browser.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

const sizes = { desktop, phone }

test('the todo page is accessible', async (t) => {
  const { url } = await startServer(t)

  for (const [size, options] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await t.test(`axe finds nothing in any state, on a ${size}, ${colorScheme}`, async (t) => {
        const todos = Array.from({ length: 27 }, (_, i) => `${i % 3 ? '' : '✓ '}Todo ${i}`)
        const visit = await visitHome(t, url, { ...options, colorScheme, todos })
        const { page, elsewhere, saved } = visit
        const check = (state: string) => assertAccessible(page, state)
        await check('a list with pages')

        await page.getByRole('button', { name: 'Done: Todo 26' }).click()
        await page.locator('#todos .todo').nth(2).focus()
        await check('a row with the focus')
        await page.getByRole('link', { name: 'Edit: Todo 25' }).click()
        await check('an open field')
        await page.getByLabel('Text', { exact: true }).fill('')
        await page.keyboard.press('Enter')
        await check('a field with a fault')

        await page.getByLabel('Text', { exact: true }).fill('Mine')
        const [, todo] = await saved()
        await elsewhere('PATCH', `/${todo?.id}`, { text: 'Theirs' })
        await page.keyboard.press('Enter')
        await page.getByRole('dialog').waitFor()
        await check('a conflict')
        await page.getByRole('button', { name: 'Save yours' }).click()

        await page.getByRole('button', { name: 'Delete: Todo 24' }).click()
        await check('a message with Undo')
        await page.keyboard.press('?')
        await check('the list of keys')
        await page.keyboard.press('Escape')

        await page.getByLabel('New todo').fill('x'.repeat(2001))
        await page.keyboard.press('Enter')
        await page.locator('.todo').getByText('at most 2000 characters').waitFor()
        await check('a text that is refused')
        await page.getByLabel('Text', { exact: true }).press('Escape')

        await page.getByLabel('Search').fill('nothing like it')
        await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
        await check('an empty search')

        await page.route('**/api/v1/todos**', (route) => route.abort('connectionrefused'))
        await page.getByLabel('New todo').fill('While away')
        await page.keyboard.press('Enter')
        await page.getByText('Not saved yet').waitFor()
        await check('a server that is away')
      })
    }
  }

  await t.test('axe finds nothing on an empty list', async (t) => {
    const { page } = await visitHome(t, url)
    await assertAccessible(page, 'no todos yet')
  })

  await t.test('what changes is said to those who listen', async (t) => {
    const { page } = await visitHome(t, url, { todos: ['One'] })
    const status = page.locator('#announcer')
    await page.getByLabel('New todo').fill('Two')
    await page.keyboard.press('Enter')
    await eventually(() => status.textContent(), 'Added: Two')
    await page.getByRole('button', { name: 'Done: Two' }).click()
    await eventually(() => status.textContent(), 'Done: Two')
    await page.getByRole('button', { name: 'Delete: One' }).click()
    await eventually(() => status.textContent(), 'Deleted: One')
    await page.route('**/api/v1/todos**', (route) => route.abort('connectionrefused'))
    await page.getByRole('button', { name: 'Done: Two' }).click()
    const alarm = page.locator('#alarm')
    await eventually(
      async () => (await alarm.textContent())?.slice(0, 28),
      'The server cannot be reached',
    )
  })

  await t.test('of a long text only the beginning is said', async (t) => {
    const { page } = await visitHome(t, url)
    const isBrief = async (region: string, words: string) => {
      const said = page.locator(region)
      await eventually(async () => (await said.textContent())?.slice(0, words.length), words)
      assert.ok(((await said.textContent()) ?? '').length <= 201, words)
    }
    await enter(page, 'x'.repeat(2000))
    await isBrief('#announcer', 'Added: xxx')
    await page.getByRole('button', { name: 'Delete: xxx' }).click()
    await isBrief('#announcer', 'Deleted: xxx')
    await page.getByRole('button', { name: 'Dismiss' }).click()
    assert.equal(await page.locator('#announcer').textContent(), '')
    await enter(page, 'x'.repeat(2001))
    await isBrief('#alarm', 'Not added: The text must have at most 2000 characters. “xxx')
  })

  await t.test('what another view shows is said to those who listen', async (t) => {
    const todos = [...Array.from({ length: 26 }, (_, index) => `Todo ${index}`), 'Milk']
    const { page } = await visitHome(t, url, { todos })
    const says = (words: string) =>
      eventually(() => page.locator('#announcer').textContent(), words)
    const filter = (name: string) => page.getByRole('link', { name: new RegExp(`^${name} `) })
    await filter('Done').click()
    await says('Nothing is done yet')
    await filter('Open').click()
    await says('Open: 27 todos')
    await page.getByRole('link', { name: 'Next' }).click()
    await says('Page 2 of 2')
    await filter('All').click()
    await says('All: 27 todos')
    await page.goBack()
    await says('Open: 27 todos, page 2 of 2')
    await page.getByLabel('Search').fill('milk')
    await says('1 todo with “milk”')
    await page.getByLabel('Search').press('Escape')
    await says('Open: 27 todos')
    await page.getByLabel('Search').fill('bread')
    await says('Nothing found')
    await filter('All').click()
    await page.getByRole('link', { name: 'Show all' }).click()
    await says('All: 27 todos')
  })

  await t.test('nothing moves for one who wants no motion', async (t) => {
    const { page } = await visitHome(t, url, { reducedMotion: 'reduce', todos: ['One'] })
    const durations = await page.evaluate<string[]>(
      "[...document.querySelectorAll('*')].map((each) => getComputedStyle(each)).flatMap(({ transitionDuration, animationName }) => [transitionDuration, animationName])",
    )
    assert.deepEqual([...new Set(durations)].sort(), ['0s', 'none'])
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`the page says the same in forced colours, ${colorScheme}`, async (t) => {
      const { page } = await visitHome(t, url, { colorScheme, todos: ['✓ Done', 'Open'] })
      await page.emulateMedia({ forcedColors: 'active' })
      const style = (selector: string, property: string) =>
        page.evaluate<string>(
          `getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${property}')`,
        )
      assert.equal(await style('.tick[aria-pressed=true] .icon', 'visibility'), 'visible')
      assert.equal(await style('.tick[aria-pressed=false] .icon', 'visibility'), 'hidden')
      const ground = await style('body', 'background-color')
      for (const marked of [
        '.tick[aria-pressed=true] .tick-mark',
        '.filters [aria-current]',
        '.theme-switch [aria-pressed=true]',
      ]) {
        assert.notEqual(await style(marked, 'background-color'), ground, marked)
      }
      assert.notEqual(await style('.add-form .button', 'border-top-width'), '0px')
      for (const focused of ['.todo', '#new-text', '#search']) {
        await page.locator(focused).first().focus()
        assert.equal(await style(focused, 'outline-style'), 'solid', focused)
        assert.notEqual(await style(focused, 'outline-color'), ground, focused)
      }
      await assertAccessible(page, 'forced colours')
    })
  }

  await t.test('the page fits a phone when text is larger, or has more space', async (t) => {
    const todos = Array.from({ length: 101 }, (_, index) => `Buy something ${index}`)
    const { page } = await visitHome(t, url, { ...phone, todos })
    const enlarge = (size: number) =>
      page.evaluate(`document.documentElement.style.fontSize = '${size}px'`)
    // WCAG 2.2, 1.4.12.
    const spread = () =>
      page.evaluate(`for (const { style } of document.querySelectorAll('*')) {
        style.lineHeight = '1.5'
        style.letterSpacing = '.12em'
        style.wordSpacing = '.16em'
      }`)
    const overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
    /** In the height of the text: as wide as a word. */
    const narrowest = `Math.min(...[...document.querySelectorAll('.todo-text, .toast > p, #new-text')]
      .filter((each) => each.checkVisibility())
      .map((each) => each.getBoundingClientRect().width / parseFloat(getComputedStyle(each).fontSize)))`
    for (const [width, size, isSpread] of [
      [320, 16, true],
      [360, 20, false],
      [360, 24, false],
      [360, 32, false],
    ] as const) {
      const state = `${width} wide, letters of ${size}${isSpread ? ', spread' : ''}`
      await page.setViewportSize({ width, height: 640 })
      await page.goto('/home?page=3')
      await enlarge(size)
      await page.keyboard.press('j')
      await page.keyboard.press('Delete')
      await page.locator('.toast').waitFor()
      if (isSpread) await spread()
      assert.ok(Number(await page.evaluate(overflow)) <= 0, state)
      assert.ok(Number(await page.evaluate(narrowest)) >= 5, state)
      await page.keyboard.press('e')
      await page.getByLabel('Text', { exact: true }).waitFor()
      assert.ok(Number(await page.evaluate(overflow)) <= 0, `${state}, a field`)
    }
  })

  await t.test('the page works at 200 % zoom, which is half the width', async (t) => {
    const { page, texts } = await visitHome(t, url, {
      viewport: { width: 640, height: 400 },
      deviceScaleFactor: 2,
      todos: ['One'],
    })
    await page.getByLabel('New todo').fill('Two')
    await page.getByRole('button', { name: 'Add' }).click()
    await eventually(texts, ['Two', 'One'])
    await assertAccessible(page, '200 % zoom')
  })
})
