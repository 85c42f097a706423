import assert from 'node:assert/strict'
import { test } from 'node:test'
import { phone } from '../../../test/browser.ts'
import { startServer } from '../../../test/server.ts'
import { AWAY, eventually, visitHome } from '../../../test/todo-page.ts'

const smallPhone = { ...phone, viewport: { width: 375, height: 667 } }
const todos = Array.from({ length: 20 }, (_, index) => `Todo ${index + 1}`)

test('a message that lasts', async (t) => {
  const { url } = await startServer(t)

  await t.test('says all of its words, be the server away or the session over', async (t) => {
    const { page, context } = await visitHome(t, url, { ...smallPhone, todos: ['One'] })
    const messages = page.getByRole('region', { name: 'Messages' })
    const assertWhole = async (words: string) => {
      await messages.getByText(words).waitFor()
      const isCut = `[...document.querySelectorAll('.toast > p')].some(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)`
      assert.equal(await page.evaluate(isCut), false, words)
    }
    await context.setOffline(true)
    await page.getByRole('button', { name: 'Done: One' }).click()
    await assertWhole('do not close this page.')
    await context.clearCookies()
    await context.setOffline(false)
    await assertWhole('then come back here.')
  })

  await t.test('hides nothing that has the focus', async (t) => {
    const { page } = await visitHome(t, url, { ...smallPhone, todos })
    const messages = page.getByRole('region', { name: 'Messages' })
    await page.route('**/api/v1/todos**', (route) => route.abort('connectionrefused'))
    await page.getByRole('button', { name: 'Done: Todo 20' }).click()
    await messages.getByText('One change waits').waitFor()
    const search = page.getByLabel('Search')
    await search.fill('nothing')
    await messages.getByText('The list cannot be read').waitFor()
    const focused = (what: string) =>
      page.evaluate<string | boolean>(
        `(({ activeElement }, toast) => ${what})(document, document.querySelector('.toast'))`,
      )
    const isHidden =
      "!activeElement.closest('#toasts') && activeElement.getBoundingClientRect().bottom > toast.getBoundingClientRect().top"
    let seen = 0
    await page.keyboard.press('Tab')
    for (; await focused('activeElement !== document.body'); await page.keyboard.press('Tab')) {
      assert.equal(await focused(isHidden), false, String(await focused('activeElement.outerHTML')))
      seen++
    }
    assert.ok(seen > 60, `${seen} controls`)
  })

  await t.test('leaves in sight what had the focus before it came', async (t) => {
    const { page } = await visitHome(t, url, { ...smallPhone, todos })
    await page.route('**/api/v1/todos**', (route) => route.abort('connectionrefused'))
    await page.keyboard.press('Tab')
    const atTheFoot = page.getByRole('button', { name: 'Done: Todo 15' })
    await atTheFoot.focus()
    const { y = 0 } = (await atTheFoot.boundingBox()) ?? {}
    await page.keyboard.press('Enter')
    await page.locator('.toast').waitFor()
    const top = (await page.locator('.toast').boundingBox())?.y ?? 0
    assert.ok(y > top, `${y} > ${top}`)
    const isInSight = async () => {
      const box = await atTheFoot.boundingBox()
      return box !== null && box.y + box.height <= top
    }
    await eventually(isInSight, true)
  })
})

test('a message that goes moves nothing in sight', async (t) => {
  const { url } = await startServer(t)
  const { page } = await visitHome(t, url, { ...smallPhone, todos })
  const style = (property: string, of: string) => () =>
    page.evaluate<string>(`getComputedStyle(document.${of}).getPropertyValue('${property}')`)
  const room = style('margin-bottom', 'body')
  const place = async () => (await page.getByText('Todo 2', { exact: true }).boundingBox())?.y
  await page.clock.install()
  await page.getByRole('button', { name: 'Delete: Todo 1', exact: true }).click()
  await page.locator('.toast').waitFor()
  // Under the pointer it would stay.
  await page.mouse.move(0, 0)
  await page.evaluate('scrollTo(0, document.body.scrollHeight + 200)')
  const before = (await place()) ?? 0
  await page.clock.fastForward(10_000)
  await page.locator('.toast').waitFor({ state: 'detached' })
  await eventually(style('--messages-height', 'documentElement'), '0px')
  assert.equal(await place(), before)
  assert.notEqual(await room(), '0px')
  await page.evaluate('scrollBy(0, -300)')
  await eventually(room, '0px')
  assert.equal(await place(), before + 300)
})

test('the newest message is wholly in sight on a low screen', async (t) => {
  const { url } = await startServer(t)
  for (const [width, height] of [
    [844, 390],
    [320, 256],
  ] as const) {
    await t.test(`of ${width} × ${height}`, async (t) => {
      const options = { viewport: { width, height }, todos: todos.slice(0, 3) }
      const { page, context } = await visitHome(t, url, options)
      const assertInSight = async () => {
        const newest = page.locator('.toast').last()
        const [box, region] = [
          await newest.boundingBox(),
          await page.locator('#toasts').boundingBox(),
        ]
        assert.ok(
          box && region && region.y <= box.y && box.y + box.height <= height,
          JSON.stringify({ box, region }),
        )
      }
      await context.clearCookies({ name: 'session' })
      for (const [index, name] of ['Todo 1', 'Todo 2', 'Todo 3'].entries()) {
        const remove = page.getByRole('button', { name: `Delete: ${name}` })
        await remove.focus()
        await page.keyboard.press('Enter')
        await eventually(() => page.locator('.toast').count(), index + 1)
        await assertInSight()
      }
      await page.getByRole('link', { name: /^Done/ }).focus()
      await page.keyboard.press('Enter')
      await page.locator('.toast').getByText('You are signed out').waitFor()
      await assertInSight()
      const isCut = `document.querySelector('#toasts').scrollWidth > document.querySelector('#toasts').clientWidth`
      assert.equal(await page.evaluate(isCut), false)
    })
  }
})

test('what was said is not found any more when it is over', async (t) => {
  const { url } = await startServer(t)
  const { page } = await visitHome(t, url)
  await page.clock.install()
  const [announcer, alarm] = [page.locator('#announcer'), page.locator('#alarm')]
  const add = async () => {
    await page.getByLabel('New todo').fill('New')
    await page.keyboard.press('Enter')
  }
  await page.route('**/api/v1/todos**', (route) => route.fulfill(AWAY))
  await add()
  await alarm.getByText('One change waits').waitFor({ state: 'attached' })
  assert.equal(await announcer.textContent(), 'Added: New')
  await page.unroute('**/api/v1/todos**')
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.getByText('Saved', { exact: true }).waitFor()
  assert.equal(await alarm.textContent(), '')
  await page.clock.fastForward(6_000)
  await add()
  await page.clock.fastForward(6_000)
  assert.equal(await announcer.textContent(), 'Added: New')
  await page.clock.fastForward(6_000)
  assert.equal(await announcer.textContent(), '')
})

test('Undo of a tick leads back to its row', async (t) => {
  const { url } = await startServer(t)
  const tickFirst = async (todos: readonly string[], next: string) => {
    const visit = await visitHome(t, url, { todos })
    const { page, texts } = visit
    await page.getByRole('link', { name: /^Open / }).click()
    await page.locator('#todos:not([aria-busy])').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await eventually(async () => (await texts())[0], next)
    return {
      ...visit,
      undo: async () => {
        await page.getByRole('button', { name: 'Undo' }).focus()
        await page.keyboard.press('Enter')
      },
      focused: () => page.locator(':focus .todo-text').textContent(),
    }
  }

  await t.test('when the list was filled up since', async () => {
    const many = Array.from({ length: 27 }, (_, index) => `Todo ${index + 1}`)
    const { texts, undo, focused } = await tickFirst(many, 'Todo 26')
    await eventually(async () => (await texts()).at(-1), 'Todo 2')
    await undo()
    assert.equal(await focused(), 'Todo 27')
    await eventually(async () => (await texts()).at(-1), 'Todo 3')
    assert.equal(await focused(), 'Todo 27')
  })

  await t.test('when a list that was read before comes after it', async () => {
    const { page, texts, undo, focused } = await tickFirst(['One', 'Two', 'Three'], 'Two')
    await page.getByText('Saved', { exact: true }).waitFor()
    const undone = Promise.withResolvers<void>()
    const shown = Promise.withResolvers<void>()
    await page.route(
      ({ search }) => search !== '',
      async (route) => {
        const response = await route.fetch()
        await undone.promise
        await route.fulfill({ response })
      },
      { times: 3 },
    )
    await page.route('**/api/v1/todos/*', async (route) => {
      await shown.promise
      await route.continue()
    })
    await page.getByRole('link', { name: /^Open / }).click()
    await undo()
    undone.resolve()
    await page.locator('#todos:not([aria-busy])').waitFor()
    assert.equal(await focused(), 'Three')
    shown.resolve()
    await page.getByText('Saved', { exact: true }).waitFor()
    await page.locator('#todos:not([aria-busy])').waitFor()
    await eventually(texts, ['Three', 'Two', 'One'])
    assert.equal(await focused(), 'Three')
  })
})
