import assert from 'node:assert/strict'
import axe, { type AxeResults, type RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

const options: RunOptions = {
  // WCAG 2.2 A and AA, and what axe's authors think best.
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations', 'passes'],
}

/** Fails with what axe finds that is not accessible on the page as it is now, which is called `state`. */
export async function assertAccessible(page: Page, state: string): Promise<void> {
  // A script of the page's own is what its policy forbids.
  await page.evaluate(`${axe.source}; undefined`)
  // A colour that is fading has not the contrast that it will have.
  await page.evaluate('Promise.allSettled(document.getAnimations().map((each) => each.finished))')
  const { violations, passes } = await page.evaluate<AxeResults>(
    `axe.run(${JSON.stringify(options)})`,
  )
  assert.ok(passes.length > 10, `axe looked at ${state}`)
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html}\n  ${failureSummary}`),
  )
  assert.equal(found.join('\n'), '', state)
}
