import $ from 'jquery'
import { pageNumber, viewOf } from '../../src/features/todos/links.ts'
import { currentView, pageCount } from './list.ts'
import { announce } from './messages.ts'
import { goTo, leadsElsewhere, viewInAddress } from './navigation.ts'
import { visibleRows } from './rows.ts'

// The steps from one view to the other: by a link, and back.

async function follow(event: JQuery.TriggeredEvent): Promise<void> {
  const { currentTarget } = event
  if (!(currentTarget instanceof HTMLAnchorElement) || leadsElsewhere(event)) return
  event.preventDefault()
  const view = viewOf(Object.fromEntries(new URL(currentTarget.href).searchParams))
  if (currentTarget.dataset.clearSearch !== undefined) $('#search').val('').trigger('focus')
  if (!(await goTo(view, 'push')) || !currentTarget.dataset.page) return
  scrollTo({ top: 0 })
  announce(pageNumber(currentView(), pageCount()))
  visibleRows()[0]?.focus({ preventScroll: true })
}

/** Lets links and Back change the view without a new page. */
export function watchSteps(): void {
  $('.filters a, #pager a, [data-clear-search], [data-search-all]').on(
    'click',
    (event) => void follow(event),
  )
  addEventListener('popstate', () => {
    const view = viewInAddress()
    $('#search').val(view.q)
    void goTo(view, 'stay')
  })
}
