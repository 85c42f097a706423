import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { assertAccessible } from './axe.ts'

/** What can be pressed or filled in, without links that are part of a sentence (WCAG 2.2, 2.5.8). */
const SMALL_TARGETS = `[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter((element) => getComputedStyle(element).display !== 'inline' && element.checkVisibility({ visibilityProperty: true }))
  .map((element) => ({ element, box: element.getBoundingClientRect() }))
  .filter(({ box }) => box.width > 1 && box.height > 1 && (box.width < 43.9 || box.height < 43.9))
  .map(({ element, box }) => element.outerHTML.slice(0, 120) + ' ' + box.width + ' by ' + box.height)`

/** Fails where a finger would miss: a target under 44 by 44 CSS pixels. */
async function assertTargets(page: Page, state: string): Promise<void> {
  assert.deepEqual(await page.evaluate(SMALL_TARGETS), [], state)
}

/** From the narrowest phone, over 200 % and 400 % of zoom on a usual screen (WCAG 2.2, 1.4.10), to 4K. */
const WIDTHS = [320, 390, 640, 1280, 3840]

/** Where the rightmost thing ends, but for what its own box cuts off on purpose. */
const RIGHTMOST = `(() => {
  const isCut = (element) =>
    element !== document.body &&
    (getComputedStyle(element).overflowX !== 'visible' || isCut(element.parentElement))
  const all = [...document.querySelectorAll('body *')]
  const shown = all.filter((each) => each.checkVisibility() && !isCut(each.parentElement))
  return Math.max(...shown.map((each) => each.getBoundingClientRect().right))
})()`

/** Fails where something must be scrolled to sideways, or is cut off. */
async function assertReflows(page: Page, state: string): Promise<void> {
  const before = page.viewportSize()
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 700 })
    const widest = await page.evaluate(RIGHTMOST)
    assert.ok(Number(widest) <= width + 0.5, `${state} at ${width}: something ends at ${widest}`)
    const hidden = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    assert.ok(Number(await page.evaluate(hidden)) <= 0, `${state} at ${width}`)
  }
  if (before) await page.setViewportSize(before)
}

/** Everything above on the page as it is now. */
export async function assertWellMade(page: Page, state: string, isPhone: boolean): Promise<void> {
  await assertAccessible(page, state)
  if (isPhone) await assertTargets(page, state)
  else await assertReflows(page, state)
}

/** Gathers what the page asks of anyone but `origin`; it should be nothing. */
export function foreignRequests(page: Page, origin: string): readonly string[] {
  const foreign: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) foreign.push(url)
  })
  return foreign
}

/** The errors of the console without the browser's own word about a page that came with a 4xx. */
export const unexpected = (errors: readonly string[]): readonly string[] =>
  errors.filter((error) => !/^Failed to load resource: .* status of 4\d\d/.test(error))
