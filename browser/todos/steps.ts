import $ from 'jquery'
import { homePath, pageNumber, viewOf } from '../../src/features/todos/links.ts'
import { isRecord } from '../../src/lib/record.ts'
import { takesText } from './keyboard.ts'
import { contents, currentView, pageCount } from './list.ts'
import { announce } from './messages.ts'
import { goTo, leadsElsewhere, notePlace, viewInAddress } from './navigation.ts'
import { insteadOfRows, visibleRows } from './rows.ts'

// The steps from one view to the other: by a link, and back.

async function follow(event: JQuery.TriggeredEvent): Promise<void> {
  const { currentTarget } = event
  if (!(currentTarget instanceof HTMLAnchorElement) || leadsElsewhere(event)) return
  event.preventDefault()
  const view = viewOf(Object.fromEntries(new URL(currentTarget.href).searchParams))
  const { page, clearSearch, searchAll } = currentTarget.dataset
  if (clearSearch !== undefined) $('#search').val('')
  if (!(await goTo(view, 'push'))) return
  announce(page === undefined ? contents() : pageNumber(currentView(), pageCount()))
  // The others stay where they are, and keep the focus.
  if (page === undefined && clearSearch === undefined && searchAll === undefined) return
  scrollTo({ top: 0 })
  // Who began to type meanwhile goes on.
  if (takesText(document.activeElement)) return
  const place = visibleRows()[0] ?? insteadOfRows()
  place.focus({ preventScroll: true })
}

/** Shows the view of the address, to which Back or Forward led, where the person was in it. */
async function comeBack(state: unknown): Promise<void> {
  const view = viewInAddress()
  // The step was within the page, as by the link to its content.
  if (homePath(view) === homePath(currentView())) return
  $('#search').val(view.q)
  const place =
    isRecord(state) && typeof state.scrolledTo === 'number' ? state.scrolledTo : undefined
  if (await goTo(view, 'stay', place)) announce(contents())
}

/** Lets links and Back change the view without a new page. */
export function watchSteps(): void {
  $('.filters a, #pager a, [data-clear-search], [data-search-all]').on(
    'click',
    (event) => void follow(event),
  )
  addEventListener('popstate', ({ state }) => void comeBack(state))
  // Back leaves a step without a word before.
  addEventListener('scrollend', notePlace)
}
