import assert from 'node:assert/strict'
import { test } from 'node:test'
import { API, edit, enter, noted, visitOld } from '../../../test/additions.ts'
import { countOn, textsOf } from '../../../test/deletions.ts'
import { startServer } from '../../../test/server.ts'
import { eventually } from '../../../test/todo-page.ts'

test('a todo whose adding the server has not confirmed', async (t) => {
  const { url } = await startServer(t)

  await t.test('is added by the next page when its page was ended', async (t) => {
    const { page, context, savedTexts, comeBack } = await visitOld(t, url)
    await context.setOffline(true)
    await enter(page, 'Written in the train')
    await enter(page, 'And another')
    await page.getByText('Not saved yet').waitFor()
    const held = Promise.withResolvers<void>()
    await context.route(API, async (route) => {
      await held.promise
      await route.continue()
    })
    const later = await comeBack()
    assert.deepEqual(await textsOf(later)(), ['And another', 'Written in the train', 'Old'])
    assert.equal(await countOn(later), '3')
    held.resolve()
    await eventually(savedTexts, ['And another', 'Written in the train', 'Old'])
    await eventually(noted(later), [])
    await later.reload()
    assert.deepEqual(await textsOf(later)(), ['And another', 'Written in the train', 'Old'])
  })

  await t.test('is added as it was edited and ticked since', async (t) => {
    const { page, cutOff, saved, comeBack } = await visitOld(t, url)
    await cutOff()
    await enter(page, 'Milk')
    await page.getByRole('button', { name: 'Done: Milk' }).click()
    await edit(page, 'Milk', 'Oats')
    const later = await comeBack()
    await eventually(
      async () => (await saved()).map(({ text, completed }) => [text, completed]),
      [
        ['Oats', true],
        ['Old', false],
      ],
    )
    await eventually(textsOf(later), ['Oats', 'Old'])
    await eventually(() => later.locator('.count').allTextContents(), ['2', '1', '1'])
    await eventually(noted(later), [])
  })

  await t.test('is edited by the next page when only the adding came through', async (t) => {
    const { page, saved, savedTexts, comeBack } = await visitOld(t, url)
    await page.route('**/api/v1/todos/*', (route) => route.abort('connectionrefused'))
    await page.route('**/api/v1/todos', async (route) => {
      await edit(page, 'Milk', 'Oats')
      await route.continue()
    })
    await enter(page, 'Milk')
    await page.getByText('Not saved yet').waitFor()
    assert.deepEqual(await savedTexts(), ['Milk', 'Old'])
    const later = await comeBack()
    await eventually(savedTexts, ['Oats', 'Old'])
    await eventually(textsOf(later), ['Oats', 'Old'])
    await eventually(noted(later), [])
    assert.equal((await saved()).length, 2)
  })

  await t.test('is there once when only the answer was lost', async (t) => {
    const { page, loseAnswers, savedTexts, comeBack } = await visitOld(t, url)
    await loseAnswers()
    await enter(page, 'Once')
    await page.getByText('Not saved yet').waitFor()
    const later = await comeBack()
    assert.deepEqual(await textsOf(later)(), ['Once', 'Old'])
    assert.equal(await countOn(later), '2')
    await eventually(noted(later), [])
    assert.deepEqual(await savedTexts(), ['Once', 'Old'])
    await eventually(textsOf(later), ['Once', 'Old'])
    assert.equal(await countOn(later), '2')
  })

  for (const [how, prepare] of [
    ['never asked', 'cutOff'],
    ['asked without an answer', 'loseAnswers'],
  ] as const) {
    await t.test(`does not come back when it was deleted, the server ${how}`, async (t) => {
      const { page, context, savedTexts, comeBack, ...visitor } = await visitOld(t, url)
      await context.clock.install()
      await visitor[prepare]()
      await enter(page, 'Not that')
      await page.getByText('Not saved yet').waitFor()
      await page.getByRole('button', { name: 'Delete: Not that' }).click()
      const later = await comeBack()
      assert.deepEqual(await textsOf(later)(), ['Old'])
      assert.equal(await countOn(later), '1')
      const isWaiting = async () => String(await noted(later)()).startsWith('deleted/')
      await eventually(isWaiting, true)
      await context.clock.fastForward(15_000)
      await eventually(savedTexts, ['Old'])
      await eventually(noted(later), [])
      assert.deepEqual(await textsOf(later)(), ['Old'])
    })
  }
})
