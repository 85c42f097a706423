import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible } from '../../../test/axe.ts'
import { startServer } from '../../../test/server.ts'
import { visitHome } from '../../../test/todo-page.ts'

const hostile = '<img src=x onerror="window.broken = true"><script>window.broken = true</script>'

test('the todo page as it comes from the server', async (t) => {
  const { url } = await startServer(t)

  await t.test(
    'without a script, todos are added, ticked, edited and deleted by forms',
    async (t) => {
      const { page, texts, saved } = await visitHome(t, url, {
        javaScriptEnabled: false,
        todos: ['One', '✓ Two'],
      })
      assert.deepEqual(await texts(), ['Two', 'One'])
      await page.getByLabel('New todo').fill('Three')
      await page.keyboard.press('Enter')
      await page.getByText('Added.').waitFor()
      assert.deepEqual(await texts(), ['Three', 'Two', 'One'])
      await page.getByRole('link', { name: /^Open/ }).click()
      await page.getByRole('button', { name: 'Done: Three' }).click()
      await page.getByText('Done.', { exact: true }).waitFor()
      assert.deepEqual(await texts(), ['One'])
      assert.equal(new URL(page.url()).search, '?show=open', 'the view is the same afterwards')
      await page.getByRole('link', { name: 'Edit: One' }).click()
      await page.getByLabel('Text', { exact: true }).fill('One and more')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Saved.').waitFor()
      await page.getByRole('button', { name: 'Delete: One and more' }).click()
      await page.getByText('Deleted.').waitFor()
      await page.getByRole('heading', { name: 'All done' }).waitFor()
      assert.deepEqual(
        (await saved()).map(({ text, completed }) => [text, completed]),
        [
          ['Three', true],
          ['Two', true],
        ],
      )
      await page.getByLabel('Search').fill('thr')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
      assert.equal(await page.locator('#show-shortcuts').isVisible(), false)
    },
  )

  await t.test(
    'without a script, a text that someone else changed meanwhile is shown',
    async (t) => {
      const { page, saved, elsewhere } = await visitHome(t, url, {
        javaScriptEnabled: false,
        todos: ['Start'],
      })
      await page.getByRole('link', { name: 'Edit: Start' }).click()
      await elsewhere('PATCH', `/${(await saved())[0]?.id}`, { text: 'Theirs' })
      await page.getByLabel('Text', { exact: true }).fill('Mine')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Someone else changed this meanwhile, to the text “Theirs”.').waitFor()
      assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'Mine')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Saved.').waitFor()
      assert.equal((await saved())[0]?.text, 'Mine')
    },
  )

  await t.test(
    'without a script, a todo that is gone is told of on the list, by a second click, too',
    async (t) => {
      const { page, texts, saved, elsewhere } = await visitHome(t, url, {
        javaScriptEnabled: false,
        todos: ['One', 'Two', 'Three'],
      })
      const gone = page.getByText('That todo is not there any more.')
      for (const name of ['Delete: Three', 'Done: Two']) {
        const [newest] = await saved()
        await elsewhere('DELETE', `/${newest?.id}`)
        await page.getByRole('button', { name }).click()
        await gone.waitFor()
      }
      assert.deepEqual(await texts(), ['One'])
    },
  )

  await t.test(
    'without a script, a todo that someone else changed meanwhile is not deleted',
    async (t) => {
      const { page, saved, elsewhere } = await visitHome(t, url, {
        javaScriptEnabled: false,
        todos: ['Start', 'Other'],
      })
      await page.getByRole('link', { name: /^Open/ }).click()
      const [, start] = await saved()
      await elsewhere('PATCH', `/${start?.id}`, { text: 'Theirs', completed: true })
      await page.getByRole('button', { name: 'Delete: Start' }).click()
      const message = 'Not deleted: someone else changed this meanwhile. It is “Theirs” now.'
      await page.getByRole('alert').getByText(message).waitFor()
      assert.deepEqual(
        (await saved()).map(({ text }) => text),
        ['Other', 'Theirs'],
      )
      await page.getByRole('button', { name: 'Delete: Other' }).click()
      await page.getByText('Deleted.').waitFor()
      await page.getByRole('link', { name: /^All/ }).click()
      await page.getByRole('button', { name: 'Delete: Theirs' }).click()
      await page.getByRole('heading', { name: 'Nothing to do yet' }).waitFor()
      assert.deepEqual(await saved(), [])
    },
  )

  await t.test(
    'without a script, an edit of a todo that was only ticked elsewhere is saved',
    async (t) => {
      const { page, saved, elsewhere } = await visitHome(t, url, {
        javaScriptEnabled: false,
        todos: ['One\nand more', 'Two'],
      })
      const [, one] = await saved()
      await page.getByRole('link', { name: /^Open/ }).click()
      await page.getByRole('link', { name: 'Edit: One' }).click()
      await page.getByLabel('Text', { exact: true }).fill('Mine\nand more')
      await elsewhere('PATCH', `/${one?.id}`, { completed: true })
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Saved.').waitFor()
      const [, { text, completed } = { text: '', completed: false }] = await saved()
      assert.deepEqual([text, completed], ['Mine\nand more', true])
    },
  )

  await t.test(
    'without a script, what was typed is shown also when the todo left the view, or is gone',
    async (t) => {
      const { page, texts, saved, elsewhere } = await visitHome(t, url, {
        javaScriptEnabled: false,
        todos: ['One', 'Two'],
      })
      const [, one] = await saved()
      await page.getByRole('link', { name: /^Open/ }).click()
      await page.getByRole('link', { name: 'Edit: One' }).click()
      await page.getByLabel('Text', { exact: true }).fill('Mine')
      await elsewhere('PATCH', `/${one?.id}`, { text: 'Theirs', completed: true })
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('to the text “Theirs”').waitFor()
      assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'Mine')
      await elsewhere('DELETE', `/${one?.id}`)
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('belongs to a todo that was deleted meanwhile').waitFor()
      assert.equal(await page.getByLabel('New todo').inputValue(), 'Mine')
      await page.getByRole('button', { name: 'Add' }).click()
      await page.getByText('Added.').waitFor()
      assert.deepEqual(await texts(), ['Mine', 'Two'])
    },
  )

  await t.test(
    'without a script, a text that is too long comes back with what is wrong',
    async (t) => {
      const { page } = await visitHome(t, url, { javaScriptEnabled: false })
      await page.getByLabel('New todo').fill('x'.repeat(2001))
      await page.keyboard.press('Enter')
      await page.getByText('The text must have at most 2000 characters.').waitFor()
      assert.equal((await page.getByLabel('New todo').inputValue()).length, 2001)
    },
  )

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with a script' : 'without a script'
    await t.test(`${how}, what is not found among the done is looked for in all`, async (t) => {
      const todos = ['Buy milk', '✓ Buy bread']
      const { page, texts } = await visitHome(t, url, { javaScriptEnabled, todos })
      await page.getByRole('link', { name: /^Done/ }).click()
      await page.getByLabel('Search').fill('milk')
      await page.keyboard.press('Enter')
      await page.getByText('None of these todos has this text in it.').waitFor()
      await page.getByRole('link', { name: 'Look in all todos' }).click()
      await page.locator('.todo:visible').waitFor()
      assert.deepEqual(await texts(), ['Buy milk'])
      assert.equal(new URL(page.url()).search, '?q=milk')
    })
  }

  await t.test('markup in a todo and in a search stays text', async (t) => {
    const { page, texts, errors } = await visitHome(t, url, { todos: [hostile] })
    await page.getByLabel('New todo').fill(hostile)
    await page.keyboard.press('Enter')
    assert.deepEqual(await texts(), [hostile, hostile])
    await page
      .locator('.todo')
      .first()
      .getByRole('button', { name: /^Delete/ })
      .click()
    await page.getByLabel('Search').fill('<img')
    await page.locator('#summary', { hasText: '1 todo with “<img”' }).waitFor()
    await page.goto(`/home?q=${encodeURIComponent(hostile)}&show=${encodeURIComponent(hostile)}`)
    assert.equal(await page.evaluate('window.broken'), undefined)
    assert.equal(await page.locator('main img, main script').count(), 0)
    assert.deepEqual(errors, [])
  })

  await t.test(
    'everything comes from this server, and nothing moves once it is painted',
    async (t) => {
      const { page, context, errors } = await visitHome(t, url, { todos: ['One', 'Two'] })
      const foreign: string[] = []
      context.on('request', (request) => {
        if (!request.url().startsWith(url) && !request.url().startsWith('data:')) {
          foreign.push(request.url())
        }
      })
      await page.addInitScript(
        "window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value }).observe({ type: 'layout-shift', buffered: true })",
      )
      await page.reload({ waitUntil: 'networkidle' })
      assert.equal(await page.evaluate('window.shift'), 0)
      assert.deepEqual([foreign, errors], [[], []])
    },
  )

  await t.test(
    'one script and one style, kept for ever, compressed, the script under 60 KB',
    async (t) => {
      const { page } = await visitHome(t, url)
      const files = await page.evaluate<string[]>(
        "performance.getEntriesByType('resource').map(({ name }) => name)",
      )
      for (const ending of ['.js', '.css']) {
        const [file, ...others] = files.filter((name) => name.endsWith(ending))
        assert.ok(file && others.length === 0, `one ${ending} file`)
        for (const encoding of ['br', 'gzip']) {
          const answer = await fetch(file, { headers: { 'accept-encoding': encoding } })
          assert.equal(answer.headers.get('content-encoding'), encoding)
          assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable')
          assert.ok(Number(answer.headers.get('content-length')) < 60_000)
        }
      }
    },
  )

  await t.test('the list is there, and the page accessible, before any script runs', async (t) => {
    const { page, texts } = await visitHome(t, url, { todos: ['One'] })
    await page.route('**/*.js', (route) => route.abort())
    await page.reload()
    assert.deepEqual(await texts(), ['One'])
    await assertAccessible(page, 'without its script')
  })
})
