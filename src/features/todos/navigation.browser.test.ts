import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { phone } from '../../../test/browser.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

const many = Array.from({ length: 60 }, (_, index) => `Todo ${index + 1}`)
const firstOf = (texts: () => Promise<string[]>) => async () => (await texts())[0]
const addressOf = (page: Page) => page.url().replace(/^https?:\/\/[^/]+/, '')

test('finding the way on the todo page', async (t) => {
  const { url } = await startServer(t)

  await t.test(
    'the filters show all, open and done, with counts, and Back leads back',
    async (t) => {
      const { page, texts } = await visitHome(t, url, { todos: ['A', '✓ B', 'C'] })
      const filter = (name: string) => page.getByRole('link', { name: new RegExp(`^${name} `) })
      await page.evaluate('window.isSamePage = true')
      await filter('Open').click()
      await eventually(texts, ['C', 'A'])
      assert.equal(addressOf(page), '/home?show=open')
      await filter('Done').click()
      await eventually(texts, ['B'])
      assert.equal(await filter('Done').getAttribute('aria-current'), 'page')
      assert.deepEqual(await page.locator('.count').allTextContents(), ['3', '2', '1'])
      await page.goBack()
      await eventually(texts, ['C', 'A'])
      await page.goBack()
      await eventually(texts, ['C', 'B', 'A'])
      await page.goForward()
      await eventually(texts, ['C', 'A'])
      assert.equal(await page.evaluate('window.isSamePage'), true)
    },
  )

  await t.test('a tick leaves the view of the open ones, and Undo brings it back', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['A', 'B'] })
    await page.getByRole('link', { name: /^Open/ }).click()
    await page.getByRole('button', { name: 'Done: B' }).click()
    await eventually(texts, ['A'])
    await page.getByRole('button', { name: 'Undo' }).click()
    await eventually(texts, ['B', 'A'])
    await eventually(async () => (await saved()).filter((todo) => todo.completed).length, 0)
  })

  await t.test('search finds as letters are typed, and one Back leaves it', async (t) => {
    const { page, texts } = await visitHome(t, url, {
      todos: ['Buy milk', 'Ring Ann', 'Milk the cow'],
    })
    await page.getByLabel('Search').pressSequentially('milk', { delay: 30 })
    await eventually(texts, ['Milk the cow', 'Buy milk'])
    assert.equal(addressOf(page), '/home?q=milk')
    await page.getByLabel('Search').fill('nothing like it')
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
    await page.goBack()
    await eventually(async () => (await texts()).length, 3)
    assert.equal(await page.getByLabel('Search').inputValue(), '')
  })

  await t.test(
    'a search that follows one which was left by Back is a step of its own',
    async (t) => {
      const { page, texts } = await visitHome(t, url, { todos: ['Milk', 'Bread'] })
      const search = page.getByLabel('Search')
      await search.pressSequentially('Mi')
      await eventually(texts, ['Milk'])
      await page.goBack()
      await eventually(texts, ['Bread', 'Milk'])
      await search.pressSequentially('Br')
      await eventually(texts, ['Bread'])
      await page.goBack()
      await eventually(texts, ['Bread', 'Milk'])
    },
  )

  await t.test(
    'a search says how many it found, on all its pages, and what becomes of them',
    async (t) => {
      const { page } = await visitHome(t, url, { todos: ['Bread', 'Milk', ...many] })
      const summary = () => page.locator('#summary').textContent()
      const search = page.getByLabel('Search')
      await search.fill('todo')
      await eventually(summary, `${many.length} todos with “todo”`)
      await eventually(
        () => page.locator('#announcer').textContent(),
        `${many.length} todos with “todo”`,
      )
      await page
        .getByRole('button', { name: /^Delete: Todo/ })
        .first()
        .click()
      await eventually(summary, `${many.length - 1} todos with “todo”`)
      await page.getByRole('button', { name: 'Undo' }).click()
      await eventually(summary, `${many.length} todos with “todo”`)
      await page.getByRole('link', { name: /^Open/ }).click()
      await search.fill('m')
      await eventually(summary, '1 todo with “m”')
      await page.getByRole('button', { name: 'Done: Milk' }).click()
      await eventually(summary, '0 todos with “m”')
      await page.reload()
      assert.equal(await summary(), '0 todos with “m”')
      await page.goto('/home?q=todo&page=2')
      assert.equal(await summary(), `${many.length} todos with “todo”`)
      await page.goto('/home')
      assert.equal(await summary(), `${many.length + 1} to do`)
    },
  )

  await t.test('Escape empties the search, and everything is there again', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: ['One', 'Two'] })
    await page.getByLabel('Search').pressSequentially('zzz')
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
    await page.keyboard.press('Escape')
    await eventually(texts, ['Two', 'One'])
    assert.equal(addressOf(page), '/home')
  })

  await t.test('a search in all todos leads to the first that it finds', async (t) => {
    const { page } = await visitHome(t, url, { todos: ['✓ Apples', '✓ More apples', 'Bread'] })
    const said = () => page.locator('#announcer').textContent()
    const focused = () => page.locator(':focus').locator('.todo-text, h2').textContent()
    const look = async () => {
      await page.getByRole('link', { name: 'Look in all todos' }).focus()
      await page.keyboard.press('Enter')
    }
    await page.goto('/home?show=open&q=apples')
    await look()
    await eventually(said, '2 todos with “apples”')
    await eventually(focused, 'More apples')
    await page.goto('/home?show=open&q=pears')
    await look()
    await eventually(said, 'Nothing found')
    assert.equal(await focused(), 'Nothing found')
  })

  await t.test('“Show all” leads to the first todo, and no phone shows its keyboard', async (t) => {
    const { page, texts } = await visitHome(t, url, { ...phone, todos: ['One', 'Two'] })
    await page.goto('/home?q=zzz')
    await page.getByRole('link', { name: 'Show all' }).tap()
    await eventually(texts, ['Two', 'One'])
    assert.equal(await page.getByLabel('Search').inputValue(), '')
    assert.equal(await page.locator(':focus').locator('.todo-text').textContent(), 'Two')
  })

  await t.test('who types while a page is read goes on typing', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: many.slice(0, 27) })
    const read = Promise.withResolvers<void>()
    await page.route(
      ({ search }) => search !== '',
      async (route) => {
        await read.promise
        await route.continue()
      },
    )
    await page.getByRole('link', { name: 'Next' }).click()
    await page.getByLabel('New todo').focus()
    read.resolve()
    await eventually(texts, ['Todo 2', 'Todo 1'])
    await eventually(() => page.locator('#announcer').textContent(), 'Page 2 of 2')
    assert.equal(await page.evaluate('document.activeElement.id'), 'new-text')
  })

  await t.test('a page behind the last one is the last one', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: many.slice(0, 27) })
    await page.goto('/home?page=99')
    assert.equal(await page.locator('#page-number').textContent(), 'Page 2 of 2')
    assert.deepEqual(await texts(), ['Todo 2', 'Todo 1'])
    await page.getByRole('link', { name: 'Previous' }).click()
    await eventually(firstOf(texts), 'Todo 27')
  })

  await t.test('pages have an address that can be shared, and Back works', async (t) => {
    const { page, texts, context } = await visitHome(t, url, { todos: many })
    assert.equal((await texts()).length, 25)
    await page.getByRole('link', { name: 'Next' }).click()
    await eventually(firstOf(texts), 'Todo 35')
    assert.equal(addressOf(page), '/home?page=2')
    const shared = await context.newPage()
    await shared.goto(page.url())
    assert.equal(await shared.locator('.todo-text').first().textContent(), 'Todo 35')
    await page.getByRole('link', { name: 'Next' }).click()
    await eventually(firstOf(texts), 'Todo 10')
    assert.equal(await page.getByRole('link', { name: 'Next' }).isVisible(), false)
    await page.goBack()
    await eventually(firstOf(texts), 'Todo 35')
    await page.getByText('Page 2 of 3', { exact: true }).waitFor()
  })

  await t.test('a page from which todos go is filled up', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: many.slice(0, 27) })
    await page.getByRole('link', { name: /^Open/ }).click()
    // From below: at one place, the second of two quick clicks would be ignored.
    await page.getByRole('button', { name: 'Done: Todo 26' }).click()
    await page.getByRole('button', { name: 'Done: Todo 27' }).click()
    await eventually(async () => (await texts()).at(-1), 'Todo 1')
    assert.equal((await texts()).length, 25)
    assert.equal(await page.locator('#pager').isVisible(), false)
  })

  await t.test(
    'a page whose todos are all deleted is filled while that can be undone',
    async (t) => {
      const { page, texts, saved } = await visitHome(t, url, { todos: many.slice(0, 30) })
      await page.clock.install()
      await page.getByRole('link', { name: /^Open/ }).click()
      await page.locator('#todos:not([aria-busy])').waitFor()
      await page.evaluate(
        "for (const button of document.querySelectorAll('#todos [data-action=delete]')) button.click()",
      )
      assert.equal(await page.locator('.empty:visible').count(), 0)
      await eventually(texts, ['Todo 5', 'Todo 4', 'Todo 3', 'Todo 2', 'Todo 1'])
      assert.equal(await page.locator('[data-count=open]').textContent(), '5')
      assert.equal(await page.locator('#pager').isVisible(), false)
      await page.getByRole('button', { name: 'Undo' }).last().click()
      await eventually(firstOf(texts), 'Todo 6')
      // The message that lies under the pointer now would wait for it.
      await page.mouse.move(0, 0)
      await page.clock.fastForward(10_000)
      await eventually(async () => (await saved()).length, 6)
    },
  )

  await t.test('the page before it is shown when the last todo of a page is deleted', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: many.slice(0, 26) })
    await page.clock.install()
    await page.getByRole('link', { name: 'Next' }).click()
    await eventually(texts, ['Todo 1'])
    await page.getByRole('button', { name: 'Delete: Todo 1' }).click()
    await eventually(async () => (await texts()).length, 25)
    assert.equal(addressOf(page), '/home')
    assert.equal(await page.locator('.empty:visible').count(), 0)
    assert.equal(await page.locator('#pager').isVisible(), false)
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Page 1 of 2').waitFor()
  })

  await t.test('a new todo is seen, wherever the person was', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: ['✓ Done'] })
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.getByLabel('New todo').fill('New')
    await page.keyboard.press('Enter')
    await eventually(texts, ['New', 'Done'])
    assert.equal(addressOf(page), '/home')
  })

  await t.test('a list that was read before a todo was added does not take it away', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: ['✓ Done'] })
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.locator('#todos:not([aria-busy])').waitFor()
    const read = Promise.withResolvers<void>()
    let reads = 0
    await page.route(
      ({ search }) => search !== '',
      async (route) => {
        const response = await route.fetch()
        if (++reads === 3) read.resolve()
        await page.locator('#save-state', { hasText: 'Saved' }).waitFor()
        await route.fulfill({ response })
      },
      { times: 3 },
    )
    await page.route('**/api/v1/todos', async (route) => {
      await read.promise
      await route.continue()
    })
    await page.getByLabel('New todo').fill('New')
    await page.keyboard.press('Enter')
    await page.locator('#todos:not([aria-busy])').waitFor()
    await eventually(texts, ['New', 'Done'])
  })

  await t.test('a todo listed before its adding is answered is shown once', async (t) => {
    const { page, texts, saved } = await visitHome(t, url, { todos: ['✓ Done'] })
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.locator('#todos:not([aria-busy])').waitFor()
    const written = Promise.withResolvers<void>()
    const read = Promise.withResolvers<void>()
    const seen = Promise.withResolvers<void>()
    let reads = 0
    await page.route(
      ({ search }) => search !== '',
      async (route) => {
        await written.promise
        await route.fulfill({ response: await route.fetch() })
        if (++reads === 3) read.resolve()
      },
      { times: 3 },
    )
    await page.route('**/api/v1/todos', async (route) => {
      const response = await route.fetch()
      written.resolve()
      await seen.promise
      await route.fulfill({ response })
    })
    await page.getByLabel('New todo').fill('New')
    await page.keyboard.press('Enter')
    await read.promise
    await page.locator('#todos:not([aria-busy])').waitFor()
    assert.deepEqual(await texts(), ['New', 'Done'])
    seen.resolve()
    await page.locator('#save-state', { hasText: 'Saved' }).waitFor()
    await eventually(texts, ['New', 'Done'])
    await page.getByRole('button', { name: 'Done: New' }).click()
    await eventually(async () => (await saved()).map(({ completed }) => completed), [true, true])
  })

  await t.test('each empty list says why it is empty', async (t) => {
    const { page } = await visitHome(t, url)
    const heading = () => page.locator('.empty:visible h2').allTextContents()
    assert.deepEqual(await heading(), ['Nothing to do yet'])
    await page.getByRole('link', { name: /^Done/ }).click()
    await page.getByLabel('New todo').fill('One')
    await page.keyboard.press('Enter')
    await eventually(heading, [])
    await page.getByRole('link', { name: /^Done/ }).click()
    await eventually(heading, ['Nothing is done yet'])
    await page.getByRole('link', { name: /^Open/ }).click()
    await eventually(heading, [])
    await page.getByRole('button', { name: 'Done: One' }).click()
    await eventually(heading, ['All done'])
  })

  await t.test('what changed elsewhere is there when the person comes back', async (t) => {
    const { page, texts, saved, elsewhere } = await visitHome(t, url, { todos: ['One'] })
    let reads = 0
    page.on('request', (request) => {
      if (request.url().includes('sort=-id')) reads++
    })
    await page.clock.install()
    const turns = "document.dispatchEvent(new Event('visibilitychange'));"
    // A window beside this one hides nothing.
    const focuses = "dispatchEvent(new Event('focus'));"
    for (const comeBack of [turns, focuses, turns + focuses]) {
      await page.clock.fastForward(60_000)
      await elsewhere('POST', '', { text: 'From elsewhere' })
      await page.evaluate(comeBack)
      await eventually(async () => (await texts()).length, (await saved()).length)
    }
    assert.equal(reads, 3)
  })
})
