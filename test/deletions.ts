// A person who deletes a todo on the todo page, for the browser tests.
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { visitHome } from './todo-page.ts'

/** Longer than a deletion can be undone and than another page waits to finish it, in milliseconds. */
export const TIME_IS_OVER = 15_000

/** The texts of the list on a page. */
export const textsOf = (page: Page) => () =>
  page.locator('.todo:visible .todo-text').allTextContents()

/** How many todos a page says that there are. */
export const countOn = (page: Page) => page.locator('[data-count=all]').textContent()

/** The todo page of one who has One and Two, with a clock that is moved by hand. */
export async function visitOneAndTwo(t: TestContext, url: string) {
  const visitor = await visitHome(t, url, { todos: ['One', 'Two'] })
  const { page, context, saved } = visitor
  await context.clock.install()
  return {
    ...visitor,
    deleteTwo: () => page.getByRole('button', { name: 'Delete: Two' }).click(),
    savedTexts: async () => (await saved()).map(({ text }) => text),
    /** The page ends without a word: no request for a deletion leaves it. */
    loseDeletions: () =>
      context.route('**/api/v1/todos/*', (route) =>
        route.request().method() === 'DELETE' ? route.abort() : route.continue(),
      ),
  }
}
