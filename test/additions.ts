// A person who adds and changes todos on the todo page while the server is away, for the browser tests.
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { visitHome } from './todo-page.ts'

export const API = '**/api/v1/todos**'

/** Types a new todo and enters it. */
export async function enter(page: Page, text: string): Promise<void> {
  await page.getByLabel('New todo').fill(text)
  await page.keyboard.press('Enter')
}

/** The keys of what a page finds in the browser's storage. */
export const noted = (page: Page) => () => page.evaluate('Object.keys(localStorage)')

/** Opens the field of a todo, and saves another text in it. */
export async function edit(page: Page, from: string, to: string): Promise<void> {
  await page.getByRole('link', { name: `Edit: ${from}`, exact: true }).click()
  await page.getByLabel('Text', { exact: true }).fill(to)
  await page.keyboard.press('Enter')
}

/** The todo page of one who has Old, or other todos. */
export async function visitOld(t: TestContext, url: string, todos: readonly string[] = ['Old']) {
  const visitor = await visitHome(t, url, { todos })
  const { page, context, saved } = visitor
  return {
    ...visitor,
    savedTexts: async () => (await saved()).map(({ text }) => text),
    /** The network goes, for this page only. */
    cutOff: () => page.route(API, (route) => route.abort('connectionrefused')),
    /** The server does what it is asked for, and its answers do not come through. */
    loseAnswers: () =>
      page.route(API, async (route) => {
        await route.fetch()
        await route.abort('connectionreset')
      }),
    /** The browser ends the page without a word, and the person opens another one. */
    async comeBack(): Promise<Page> {
      const later = await context.newPage()
      await page.close({ runBeforeUnload: false })
      await context.setOffline(false)
      await later.goto('/home')
      return later
    },
  }
}
