// Chromium for the tests.
import { after, type TestContext } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium } from './chromium.ts'

export const desktop = { viewport: { width: 1280, height: 800 } }
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

/** `errors` gathers what any page of the context threw or wrote to the console as an error. */
export type Visit = { page: Page; context: BrowserContext; errors: string[] }

const patience = 30_000
// One for the file, since each file of tests is a process; every test has its own context.
let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())
// Playwright answers this by closing the browser only, and a test that hangs would go on.
process.once('SIGTERM', () => process.exit(143))

export async function openBrowser(
  t: TestContext,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  browser ??= launchChromium()
  const context = await (await browser).newContext({ ...desktop, locale: 'en-US', ...options })
  t.after(() => context.close())
  context.setDefaultTimeout(patience)

  const errors: string[] = []
  context.on('weberror', (thrown) => errors.push(String(thrown.error())))
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`)
  })
  return { page: await context.newPage(), context, errors }
}
