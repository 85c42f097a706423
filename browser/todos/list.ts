import $ from 'jquery'
import {
  contentsOf,
  type Counts,
  emptyState,
  homePath,
  pageNumber,
  shows,
  summaryOf,
  type View,
} from '../../src/features/todos/links.ts'
import type { Todo } from '../../src/features/todos/schema.ts'
import { holdsText, isDraft, isTicked, knownOf, learn, rowOf, textOf, wantsTick } from './row.ts'
import { holdFocus, insteadOfRows, list, rows, visibleRows } from './rows.ts'

// What is shown: the rows, and around them the counts, the pages and the words for an empty list.

export function insertFirst(row: HTMLElement): void {
  list().prepend(row)
  showWords()
}

export function remove(row: HTMLElement): void {
  row.remove()
  showWords()
}

/** Hides a row without forgetting it, and moves the focus on when it was there. */
export function hide(row: HTMLElement): void {
  const moveFocusOn = holdFocus()
  row.hidden = true
  showWords()
  moveFocusOn()
}

/** The row that shows the todo of a row which the list may have let go. */
export function presentRow(row: HTMLElement): HTMLElement {
  const { id } = knownOf(row)
  if (row.isConnected || id === undefined) return row
  return rows().find((each) => knownOf(each).id === id) ?? row
}

/** Shows a row again, unless it is being deleted. */
export function unhide(row: HTMLElement): void {
  row.hidden = row.dataset.deleting !== undefined
  showWords()
}

let counts: Counts = countsOnPage()
let current: View = { show: 'all', q: '', page: 1 }
let pages = 1

export const currentView = (): View => current
export const pageCount = (): number => pages

function countsOnPage(): Counts {
  const read = (show: string) => Number($(`[data-count="${show}"]`).text())
  return { all: read('all'), open: read('open'), done: read('done') }
}

/** Counts the todos that came, went, were opened or done. */
export function count(change: Partial<Counts>): void {
  const { all = 0, open = 0, done = 0 } = change
  showCounts({ all: counts.all + all, open: counts.open + open, done: counts.done + done })
}

/** Counts a row that came or went. */
export const countRow = (row: HTMLElement, by: 1 | -1): void =>
  count({ all: by, ...(isTicked(row) ? { done: by } : { open: by }) })

function showCounts(next: Counts): void {
  counts = next
  for (const show of shows) $(`[data-count="${show}"]`).text(counts[show])
  showSummary()
}

/** How many todos the view had on all its pages, and how many rows were visible, when it was read. */
let read = {
  total: Number($('#summary').attr('data-total')),
  visible: $('#todos').children('.todo').length,
}

/** How many todos the view has by now. What came and went since it was read is seen by the rows. */
const found = (): number => read.total + visibleRows().length - read.visible

/** What the view shows, in words for those who do not see it. */
export const contents = (): string =>
  $('[data-empty]:not([hidden]) h2').text() || contentsOf(current, found(), pages)

const showSummary = (): void => {
  $('#summary').text(lag || summaryOf(current, counts, isBehind() ? undefined : found()))
}

/** The address of the view whose rows the page shows. */
let shownPath = ''
/** Says that they are not those of the present view; empty when they are, or may be in a moment. */
let lag = ''

/** Whether the page names a view whose rows it does not show yet. */
export const isBehind = (): boolean => shownPath !== homePath(current)

/** Says why the rows are not those of the present view, when they are not. */
export function sayBehind(why: string): void {
  lag = isBehind() ? why : ''
  list().toggleAttribute('data-behind', lag !== '')
  showWords()
}

/** Notes that the rows are those of the present view. */
export function noteShown(): void {
  shownPath = homePath(current)
  sayBehind('')
}

/** Shows what the list has in words, and the words for what is not there, where nothing is, on other pages neither. */
function showWords(): void {
  const isPageEmpty = visibleRows().length === 0
  const isEmpty = isPageEmpty && pages < 2 && !lag
  list().hidden = isPageEmpty
  showSummary()
  const state = emptyState(current, counts)
  const focused = $('[data-empty]:focus-within').get(0)
  for (const element of $('[data-empty]').get()) {
    element.hidden = !isEmpty || element.dataset.empty !== state
  }
  if (focused?.hidden) insteadOfRows().focus()
}

/** Notes which view the page shows, in every link that leads on from it. */
export function setView(view: View, pageTotal: number): void {
  current = view
  pages = pageTotal
  for (const show of shows) {
    const link = $(`[data-show="${show}"]`).attr('href', homePath({ ...view, show, page: 1 }))
    if (show === view.show) link.attr('aria-current', 'page')
    else link.removeAttr('aria-current')
  }
  $('[data-search-all]').attr('href', homePath({ ...view, show: 'all', page: 1 }))
  $('[data-clear-search]').attr('href', homePath({ ...view, q: '', page: 1 }))
  $('#pager').prop('hidden', pages < 2)
  for (const [name, page] of [
    ['previous', view.page - 1],
    ['next', view.page + 1],
  ] as const) {
    const link = $(`[data-page="${name}"]`)
    // The one that was followed keeps the focus until there is a row for it.
    const isFollowed = isBehind() && link.is(':focus')
    link
      .attr('href', homePath({ ...view, page: Math.max(1, Math.min(page, pages)) }))
      .prop('hidden', (page < 1 || page > pages) && !isFollowed)
  }
  $('#page-number').text(pageNumber(view, pages))
  if (isBehind()) showSummary()
  else sayBehind('')
}

/** Rows that do not belong in the view, and stay since their texts are not saved. */
let guests: ReadonlySet<HTMLElement> = new Set()

/**
 * Shows a page of the list. Rows that are there already stay the same elements, so that the focus
 * and an edit stay too. What the server does not know yet, or is being edited, stays on top when it
 * is not on the page.
 */
export function render(
  todos: readonly Todo[],
  total: number,
  next: Counts,
  isOtherView: boolean,
): void {
  const byId = new Map(rows().map((row) => [knownOf(row).id, row]))
  const isBeingAdded = (row: HTMLElement) => row.dataset.saving !== undefined
  // One whose adding is written and not answered yet has its row on top already. Should it be
  // another of the same text, it is there at the next reading, once everything is answered.
  const beingAdded = new Set(rows().filter(isBeingAdded).map(textOf))
  const shown = todos
    .filter((todo) => byId.has(todo.id) || !beingAdded.has(todo.text))
    .map((todo) => {
      const row = byId.get(todo.id) ?? rowOf(todo)
      learn(row, todo, undefined)
      row.hidden = row.dataset.deleting !== undefined
      return row
    })
  const others = rows().filter((row) => !shown.includes(row))
  guests = new Set(others.filter(holdsText))
  // One that was ticked or opened just now belongs here since, if it was here before.
  const isComing = (row: HTMLElement) =>
    !isOtherView && wantsTick(row) && !row.hidden && !isOutOfView(row)
  const staying = (row: HTMLElement) => isBeingAdded(row) || guests.has(row) || isComing(row)
  place([...others.filter(staying), ...shown])
  // Those that are being deleted are among those that were counted.
  read = {
    total: total - shown.filter(({ hidden }) => hidden).length,
    visible: visibleRows().length,
  }
  const drafts = rows().filter(isDraft).length
  showCounts({ ...next, all: next.all + drafts, open: next.open + drafts })
  showWords()
}

/** Makes these the rows of the list. Who types in one of them can go on. */
function place(next: readonly HTMLElement[]): void {
  const { activeElement: focused } = document
  for (const row of rows()) if (!next.includes(row)) row.remove()
  let place = list().firstElementChild
  for (const row of next) {
    if (row === place) place = place.nextElementSibling
    else list().insertBefore(row, place)
  }
  if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus()
}

/** Whether a row does not belong in the view, such as a done todo among the open ones. */
export const isOutOfView = (row: HTMLElement): boolean =>
  guests.has(row) || (current.show !== 'all' && (current.show === 'done') !== isTicked(row))
