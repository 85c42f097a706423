import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../../../test/server.ts'
import { eventually, visitHome } from '../../../test/todo-page.ts'

test('the todo page after the session has ended', async (t) => {
  const { url } = await startServer(t)

  await t.test(
    'what is done waits, and is saved when the person has signed in again',
    async (t) => {
      const { page, context, texts, saved, signIn } = await visitHome(t, url, { todos: ['Old'] })
      const other = await context.newPage()
      await other.goto('/home')
      await other.getByRole('button', { name: 'Sign out' }).click()
      await other.waitForURL('**/login')

      const field = page.getByLabel('New todo')
      await field.fill('First')
      await field.press('Enter')
      await field.fill('Second')
      await field.press('Enter')
      await page.getByRole('button', { name: 'Done: Old' }).click()
      const messages = page.getByRole('region', { name: 'Messages' })
      await messages.getByText('You are signed out.').waitFor()
      await page.getByText('Not saved yet').waitFor()
      assert.deepEqual(await texts(), ['Second', 'First', 'Old'])

      const opened = context.waitForEvent('page')
      await messages.getByRole('button', { name: 'Sign in' }).click()
      const login = await opened
      await page.evaluate("dispatchEvent(new Event('focus'))")
      await messages.getByText('You are signed out.').waitFor()
      await signIn(login)
      await page.evaluate("dispatchEvent(new Event('focus'))")
      await eventually(
        async () => (await saved()).map(({ text, completed }) => [text, completed]),
        [
          ['Second', false],
          ['First', false],
          ['Old', true],
        ],
      )
      await eventually(() => messages.getByText('You are signed out.').count(), 0)
    },
  )

  await t.test('what is done waits while somebody else is signed in in the browser', async (t) => {
    const ann = await visitHome(t, url, { todos: ['Hers'] })
    const bob = await visitHome(t, url)
    const other = await ann.context.newPage()
    // Bob is told that signing out forgets what waits here. Her page lives, and does not.
    other.on('dialog', (question) => question.accept())
    const signInAs = async (person: typeof ann) => {
      await other.goto('/home')
      await other.getByRole('button', { name: 'Sign out' }).click()
      await other.waitForURL('**/login')
      await person.signIn(other)
    }
    await signInAs(bob)
    await ann.page.getByLabel('New todo').fill('Hers too')
    await ann.page.keyboard.press('Enter')
    await ann.page.getByText('Not saved yet').waitFor()
    assert.deepEqual(await bob.saved(), [])
    await signInAs(ann)
    await ann.page.evaluate("dispatchEvent(new Event('focus'))")
    await eventually(async () => (await ann.saved()).length, 2)
    assert.deepEqual(await bob.saved(), [])
  })

  await t.test('a list that cannot be read says so once, and is read on return', async (t) => {
    const { page, context, texts, signIn } = await visitHome(t, url, { todos: ['Open', '✓ Done'] })
    await context.clearCookies({ name: 'session' })
    await page.getByRole('link', { name: /^Done/ }).click()
    const messages = page.getByRole('region', { name: 'Messages' })
    await messages.getByText('You are signed out.').waitFor()
    await page.getByLabel('New todo').fill('New')
    await page.keyboard.press('Enter')
    await page.getByText('Not saved yet').waitFor()
    assert.equal(await messages.getByText('You are signed out.').count(), 1)

    const login = await context.newPage()
    await login.goto('/login')
    await signIn(login)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await eventually(texts, ['New', 'Done', 'Open'])
  })
})
