import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { API, edit, enter } from '../../../test/additions.ts'
import { textsOf } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually, signInInstead, visitHome } from '../../../test/todo-page.ts'

const newTodo = (page: Page) => page.getByLabel('New todo')
const field = (page: Page) => page.getByLabel('Text', { exact: true })
const openField = (page: Page, text: string) =>
  page.getByRole('link', { name: `Edit: ${text}`, exact: true }).click()

/** Draws the page anew, as a browser does that threw it away while nobody looked: the page hears nothing of it. */
async function drawAnew(page: Page, path?: string): Promise<void> {
  await page.evaluate(`for (const type of ['pagehide', 'beforeunload', 'visibilitychange']) {
    addEventListener(type, (event) => event.stopImmediatePropagation(), { capture: true })
  }`)
  await (path ? page.goto(path) : page.reload())
}

test('what is typed when the browser throws the page away', async (t) => {
  const { url } = await startServer(t)

  const visit = async (t: TestContext, ...todos: readonly string[]) => {
    const visitor = await visitHome(t, url, { todos })
    const savedTexts = async () => (await visitor.saved()).map(({ text }) => text)
    return { ...visitor, savedTexts }
  }

  await t.test('is in its fields again, and can be gone on with', async (t) => {
    const { page, savedTexts } = await visit(t, 'Milk', 'Bread')
    await openField(page, 'Milk')
    await field(page).press('End')
    await field(page).pressSequentially(' of ')
    await newTodo(page).pressSequentially('Half a ')
    await drawAnew(page)
    assert.equal(await newTodo(page).inputValue(), 'Half a ')
    assert.equal(await field(page).inputValue(), 'Milk of ')
    assert.deepEqual(await textsOf(page)(), ['Bread', 'Milk'])
    await field(page).press('End')
    await field(page).pressSequentially('oats')
    await field(page).press('Enter')
    await newTodo(page).press('End')
    await newTodo(page).pressSequentially('thought')
    await newTodo(page).press('Enter')
    await eventually(savedTexts, ['Half a thought', 'Bread', 'Milk of oats'])
    await page.getByText('Saved', { exact: true }).waitFor()
    await drawAnew(page)
    assert.equal(await newTodo(page).inputValue(), '')
    assert.equal(await field(page).count(), 0)
  })

  await t.test('comes back once, and not where its field was closed', async (t) => {
    const { page, texts } = await visit(t, 'Milk')
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    await field(page).press('Escape')
    await newTodo(page).fill('Bread')
    await newTodo(page).fill('')
    await drawAnew(page)
    assert.equal(await field(page).count(), 0)
    assert.equal(await newTodo(page).inputValue(), '')
    assert.deepEqual(await texts(), ['Milk'])
  })

  await t.test('is on top where the list does not have its todo', async (t) => {
    const { page, saved } = await visit(t, '✓ Milk', 'Bread')
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    await drawAnew(page, '/home?show=open')
    assert.equal(await field(page).inputValue(), 'Oats')
    await field(page).press('Enter')
    await eventually(
      async () => (await saved()).map(({ text, completed }) => [text, completed]),
      [
        ['Bread', false],
        ['Oats', true],
      ],
    )
    await eventually(textsOf(page), ['Bread'])
    await eventually(() => page.locator('.count').allTextContents(), ['2', '1', '1'])
  })

  await t.test('meets the text that another made of it meanwhile', async (t) => {
    const { page, saved, elsewhere, savedTexts } = await visit(t, 'Milk')
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    const [milk] = await saved()
    await elsewhere('PATCH', `/${milk?.id}`, { text: 'Cream' })
    await drawAnew(page)
    await field(page).press('Enter')
    const question = page.getByRole('dialog')
    await question.getByText('Cream').waitFor()
    // Who leaves without an answer has the text in its field, also after that.
    await page.keyboard.press('Escape')
    await question.waitFor({ state: 'hidden' })
    await drawAnew(page)
    assert.equal(await field(page).inputValue(), 'Oats')
    await field(page).press('Enter')
    await eventually(savedTexts, ['Oats'])
  })

  await t.test('becomes a new todo where its own is gone', async (t) => {
    const { page, saved, elsewhere, savedTexts } = await visit(t, 'Milk')
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    const [milk] = await saved()
    await elsewhere('DELETE', `/${milk?.id}`)
    await drawAnew(page)
    await field(page).press('Enter')
    await page.locator('.todo').getByText('Save adds it anew').waitFor()
    await field(page).press('Enter')
    await eventually(savedTexts, ['Oats'])
  })

  await t.test('becomes one, too, while another page deletes its own', async (t) => {
    const { page, context, savedTexts } = await visit(t, 'Milk')
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    const other = await context.newPage()
    await other.goto('/home')
    await other.getByRole('button', { name: 'Delete: Milk' }).click()
    await drawAnew(page)
    assert.equal(await field(page).inputValue(), 'Oats')
    await page.locator('.todo').getByText('Save adds it anew').waitFor()
    await field(page).press('Enter')
    await page.getByText('Saved', { exact: true }).waitFor()
    await other.close({ runBeforeUnload: true })
    await eventually(savedTexts, ['Oats'])
    await eventually(textsOf(page), ['Oats'])
  })

  await t.test('has the reason with it for which it was refused', async (t) => {
    const { page, savedTexts } = await visit(t, 'Milk')
    const fault = page.locator('.todo').getByText('at most 2000 characters')
    await enter(page, 'x'.repeat(2001))
    await fault.waitFor()
    await drawAnew(page)
    await fault.waitFor()
    assert.equal(await page.locator('[data-count="all"]').textContent(), '2')
    await field(page).fill('Short')
    await field(page).press('Enter')
    await eventually(savedTexts, ['Short', 'Milk'])
    await drawAnew(page)
    assert.equal(await field(page).count(), 0)
  })

  await t.test('goes with the todo that was still being added', async (t) => {
    const { page, savedTexts } = await visit(t)
    await page.route(API, (route) => route.abort('connectionrefused'))
    await enter(page, 'Milk')
    await page.getByText('Not saved yet').waitFor()
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    await page.unroute(API)
    await drawAnew(page)
    assert.equal(await field(page).count(), 1)
    await field(page).press('Enter')
    await eventually(savedTexts, ['Oats'])
    await eventually(textsOf(page), ['Oats'])
  })

  await t.test('is there where it was refused after that', async (t) => {
    const { page, saved, elsewhere, savedTexts } = await visit(t, 'Milk')
    const fault = page.locator('.todo').getByText('Save adds it anew')
    await page.route(API, (route) => route.abort('connectionrefused'))
    await edit(page, 'Milk', 'Oats')
    await page.getByText('Not saved yet').waitFor()
    const [milk] = await saved()
    await elsewhere('DELETE', `/${milk?.id}`)
    await page.unroute(API)
    await page.getByRole('button', { name: 'Retry' }).click()
    await fault.waitFor()
    await drawAnew(page)
    await fault.waitFor()
    await field(page).press('Enter')
    await eventually(savedTexts, ['Oats'])
  })

  await t.test('stays the edit of the todo whose adding was answered meanwhile', async (t) => {
    const { page, savedTexts } = await visit(t)
    const held = Promise.withResolvers<void>()
    await page.route(API, async (route) => {
      await held.promise
      await route.continue()
    })
    await enter(page, 'Milk')
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    held.resolve()
    await page.getByText('Saved', { exact: true }).waitFor()
    await drawAnew(page)
    assert.equal(await field(page).count(), 1)
    await field(page).press('Enter')
    await eventually(savedTexts, ['Oats'])
  })

  await t.test('does not come back once it is added or saved', async (t) => {
    const { page, texts } = await visit(t, 'Old')
    await newTodo(page).pressSequentially('Milk')
    await newTodo(page).press('Enter')
    await edit(page, 'Old', 'Older')
    await page.getByText('Saved', { exact: true }).waitFor()
    await drawAnew(page)
    assert.equal(await newTodo(page).inputValue(), '')
    assert.deepEqual(await texts(), ['Milk', 'Older'])
  })

  await t.test('goes before what is typed until the script runs', async (t) => {
    const { page } = await visit(t)
    await newTodo(page).fill('Call the bank ')
    const held = Promise.withResolvers<void>()
    await page.route('**/*.js', async (route) => {
      await held.promise
      await route.continue()
    })
    await page.evaluate('document.documentElement.dataset.isOld = true')
    const drawn = drawAnew(page)
    await page.locator('html:not([data-is-old]) #new-text').waitFor()
    await newTodo(page).pressSequentially('b')
    held.resolve()
    await drawn
    await eventually(() => newTodo(page).inputValue(), 'Call the bank b')
  })

  await t.test('shows what became of its todo, which the list does not have', async (t) => {
    const { page, saved, elsewhere } = await visit(t, 'Milk', 'Bread')
    await openField(page, 'Milk')
    await field(page).fill('Oats')
    const milk = (await saved()).at(-1)
    await elsewhere('PATCH', `/${milk?.id}`, { completed: true })
    await drawAnew(page, '/home?show=open')
    const tick = page.getByRole('button', { name: 'Done: Milk' })
    await eventually(() => tick.getAttribute('aria-pressed'), 'true')
    await tick.click()
    await page.getByText('Saved', { exact: true }).waitFor()
    await eventually(() => page.locator('.count').allTextContents(), ['2', '2', '0'])
  })

  await t.test('is not copied to the tab in which the person signs in again', async (t) => {
    const { page, context, signIn } = await visit(t)
    await newTodo(page).fill('Call the bank')
    await context.clearCookies({ name: 'session' })
    await page.getByRole('link', { name: /^Done/ }).click()
    const opened = context.waitForEvent('page')
    await page.getByRole('button', { name: 'Sign in' }).click()
    const login = await opened
    await signIn(login)
    assert.equal(await newTodo(login).inputValue(), '')
  })

  await t.test('is asked about before another page signs out', async (t) => {
    const { page } = await visit(t)
    const signOut = page.getByRole('button', { name: 'Sign out' })
    await newTodo(page).fill('Call the bank')
    const questions: string[] = []
    page.on('dialog', async (dialog) => {
      questions.push(dialog.type())
      await (dialog.type() === 'confirm' ? dialog.dismiss() : dialog.accept())
    })
    await page.goto('/account')
    await signOut.click()
    await page.goto('/home')
    assert.deepEqual(questions, ['beforeunload', 'confirm'])
    assert.equal(await newTodo(page).inputValue(), 'Call the bank')
  })

  await t.test('is nobody else’s, and is forgotten by signing out', async (t) => {
    const ann = await visit(t, 'Milk')
    const bob = await visit(t)
    const { page } = ann
    // Whether the page may go, and the texts with it.
    page.on('dialog', (dialog) => dialog.accept())
    await newTodo(page).fill('A secret')
    await signInInstead(page, bob)
    assert.equal(await newTodo(page).inputValue(), '')
    await signInInstead(page, ann)
    assert.equal(await newTodo(page).inputValue(), 'A secret')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/login')
    assert.equal(await page.evaluate('sessionStorage.length'), 0)
    await ann.signIn(page)
    assert.equal(await newTodo(page).inputValue(), '')
  })

  await t.test('is not what the storage has of another program', async (t) => {
    const { page } = await visit(t, 'Milk')
    await page.evaluate(
      `sessionStorage.setItem('typed/' + document.getElementById('todo-page').dataset.person, '{"added": 1}')`,
    )
    await page.reload()
    assert.equal(await newTodo(page).inputValue(), '')
    await edit(page, 'Milk', 'Oats')
    await page.getByText('Saved', { exact: true }).waitFor()
  })
})
