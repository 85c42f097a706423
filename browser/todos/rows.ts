import $ from 'jquery'
import { part } from '../template.ts'

// The rows that the list has, and where the focus goes when one of them does.

export const list = (): HTMLElement => part(document.body, '#todos')

/** Every row, also those that are hidden until their deletion is final. */
export const rows = (): HTMLElement[] => $(list()).children('.todo').get()
export const visibleRows = (): HTMLElement[] => rows().filter((row) => !row.hidden)
export const rowAt = (element: EventTarget | null): HTMLElement | undefined =>
  element instanceof Element ? (element.closest<HTMLElement>('.todo') ?? undefined) : undefined
export const focusedRow = (): HTMLElement | undefined => rowAt(document.activeElement)

/**
 * What gets the focus where there are no rows: the words for that. No field: the keys by themselves would be
 * typed there, and a phone would show its keyboard.
 */
export const insteadOfRows = (): HTMLElement =>
  $('[data-empty]:not([hidden])').get(0) ?? part(document.body, '#main')

/**
 * Notes where the focus is. What it gives moves the focus on when its row has gone since, or its link to
 * another page: to the next row that is there, or the one before it, or what stands there instead. In
 * another view that is a row in sight, and the page stays where the browser has scrolled it to.
 */
export function holdFocus(isOtherView = false): () => void {
  const row = focusedRow()
  const [focused = row] = $('#pager :focus').get()
  const visible = visibleRows()
  const index = row ? visible.indexOf(row) : -1
  const isThere = (element: HTMLElement) => element.checkVisibility()
  return () => {
    if (!focused || isThere(focused)) return
    if (isOtherView) {
      const isInSight = (row: HTMLElement) => row.getBoundingClientRect().bottom > 0
      const place = visibleRows().find(isInSight) ?? insteadOfRows()
      place.focus({ preventScroll: true })
      return
    }
    const others = [...visible.slice(index + 1), ...visible.slice(0, index).toReversed()]
    const next = others.find(isThere) ?? insteadOfRows()
    next.focus()
  }
}
