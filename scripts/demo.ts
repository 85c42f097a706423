// The service with its demo data and a browser in front of it, for the scripts that look at pages.
import type { Browser } from 'playwright-core'
import { launchChromium } from '../test/chromium.ts'
import { startServer } from '../test/server.ts'
import { buildPages } from './build/pages.ts'
import { buildServer } from './build/server.ts'

export const johnDoe = { username: 'johndoe@example.com', password: 'secret' }

/** Gives `work` the address of a service of its own and a browser, and ends both afterwards. */
export async function withDemo(
  work: (url: string, browser: Browser) => Promise<void>,
  ...flags: string[]
): Promise<void> {
  await buildPages()
  await buildServer()
  const cleanUp: Array<() => unknown> = []
  const scope = {
    after: (step: unknown) => {
      if (typeof step === 'function') cleanUp.push(() => step())
    },
  }
  try {
    const { url } = await startServer(scope, { RESET_DB: '1' })
    const browser = await launchChromium(...flags)
    try {
      await work(url, browser)
    } finally {
      await browser.close()
    }
  } finally {
    for (const step of cleanUp) await step()
  }
}
