import $ from 'jquery'
import { homePath, type View, viewOf } from '../../src/features/todos/links.ts'
import type { Todo } from '../../src/features/todos/schema.ts'
import { type Answer, Away, call, Refused, SignedOut } from '../api.ts'
import { noted, showDeletions } from './deletions.ts'
import {
  currentView,
  hide,
  holdFocus,
  isOutOfView,
  pageCount,
  render,
  setView,
  visibleRows,
} from './list.ts'
import { announce, type Shown, show } from './messages.ts'
import { holdsText } from './row.ts'
import { sayEnded } from './session.ts'
import { api, pageSize, todosIn } from './todo.ts'
import { isIdle, onIdle, writesAnswered } from './writes.ts'

const TYPING_PAUSE = 200
/** A list this old, in milliseconds, is read anew when the person comes back to the window. */
const STALE = 15_000

let running: AbortController | undefined
let failure: Shown | undefined
let askedAt = Date.now()
/** The address of the view whose rows the page shows. */
let shownPath = ''
/** Set when the page shows what the server may know better, once everything is written. */
let isStale = false

const viewInAddress = (): View => viewOf(Object.fromEntries(new URLSearchParams(location.search)))

/** Shows another view. `how` says whether Back leads to the present one. */
export async function goTo(view: View, how: 'push' | 'replace' | 'stay'): Promise<void> {
  const path = homePath(view)
  const isHere = path === location.pathname + location.search
  if (how === 'push' && !isHere) history.pushState(null, '', path)
  if (how === 'replace') history.replaceState(null, '', path)
  setView(view, pageCount())
  await load(view)
}

async function load(view: View): Promise<void> {
  running?.abort()
  const own = new AbortController()
  running = own
  askedAt = Date.now()
  $('#todos').attr('aria-busy', 'true')
  try {
    await read(view, own.signal)
    failure?.close()
  } catch (error) {
    if (own.signal.aborted) return
    if (error instanceof SignedOut) {
      failure?.close()
      sayEnded(reload)
      return
    }
    if (error instanceof Away) isStale = true
    sayFailure(
      error instanceof Refused ? error.message : 'The list cannot be read: the server is away.',
    )
    if (!(error instanceof Refused || error instanceof Away)) throw error
  } finally {
    if (running === own) $('#todos').removeAttr('aria-busy')
  }
}

function sayFailure(text: string): void {
  const action = { label: 'Retry', run: () => void reload() }
  if (failure?.isShown()) failure.say(text)
  else failure = show({ text, isAlarm: true, lasts: true, action })
}

const reload = (): Promise<void> => load(currentView())

async function read(view: View, signal: AbortSignal): Promise<void> {
  const before = writesAnswered()
  const [{ todos, pages }, all, open] = await Promise.all([
    readPage(view, signal),
    query({ limit: '1' }, signal),
    query({ limit: '1', completed: 'false' }, signal),
  ])
  if (signal.aborted) return
  // Shown as it is, it would take back what was just written.
  if (writesAnswered() !== before) return read(view, signal)
  if (!isIdle()) isStale = true
  if (view.page > pages) return goTo({ ...view, page: pages }, 'replace')
  setView(view, pages)
  const isOtherView = shownPath !== homePath(view)
  shownPath = homePath(view)
  const moveFocusOn = holdFocus(isOtherView)
  const counts = { all: all.total, open: open.total, done: all.total - open.total }
  render(todos, counts, isOtherView)
  showDeletions()
  moveFocusOn()
}

const query = (fields: Record<string, string>, signal: AbortSignal): Promise<Answer> =>
  call({ method: 'GET', url: `${api()}?${new URLSearchParams(fields)}`, signal })

/** The todos of a page, with those behind it in the place of those that are being deleted. */
async function readPage(
  { show, q, page }: View,
  signal: AbortSignal,
): Promise<{ todos: Todo[]; pages: number }> {
  const completed = { all: undefined, open: 'false', done: 'true' }[show]
  const size = pageSize()
  const deleted = noted()
  const todos: Todo[] = []
  for (let offset = (page - 1) * size; ; offset += size) {
    const answer = await query(
      {
        sort: '-id',
        limit: String(size),
        offset: String(offset),
        ...(completed && { completed }),
        ...(q && { q }),
      },
      signal,
    )
    todos.push(...todosIn(answer))
    const staying = todos.filter(({ id }) => !deleted.has(id))
    const isAtEnd = offset + size >= answer.total
    if (deleted.size > 0 && staying.length <= size && !isAtEnd) continue
    const last = Math.ceil(answer.total / size)
    const hasNext = !isAtEnd || staying.length > size
    const pages = hasNext ? last : staying.length > 0 ? page : Math.min(page - 1, last)
    // Those that are being deleted stay among the others, so that Undo finds them at their place.
    const [end] = staying.slice(size - 1)
    return {
      todos: end ? todos.slice(0, todos.indexOf(end) + 1) : todos,
      pages: Math.max(1, pages),
    }
  }
}

/** Reads the present view anew, as soon as nothing on the page is newer than what the server has. */
export function refresh(): void {
  isStale = true
  refreshWhenIdle()
}

function refreshWhenIdle(): void {
  if (!isStale || !isIdle()) return
  isStale = false
  void reload()
}

/** Reads the view anew for the person who comes back, or looks at this window after another one. */
function lookAgain(): void {
  if (document.visibilityState === 'visible' && Date.now() - askedAt > STALE) refresh()
}

/** Fills up a page from which rows went, or shortens one to which they came back. */
export function refill(): void {
  if (pageCount() > 1 || visibleRows().length > pageSize()) refresh()
}

/** Lets a row go that does not belong in the view, unless its text is not saved, and fills the page up. */
export function leaveView(row: HTMLElement): void {
  if (!isOutOfView(row) || holdsText(row)) return
  hide(row)
  refill()
}

/** Whether a click on a link is for another tab or window, or saves what is there. */
export const leadsElsewhere = (click: JQuery.TriggeredEvent): boolean =>
  [click.ctrlKey, click.metaKey, click.shiftKey, click.altKey].includes(true)

async function follow(event: JQuery.TriggeredEvent): Promise<void> {
  const { currentTarget } = event
  if (!(currentTarget instanceof HTMLAnchorElement) || leadsElsewhere(event)) return
  event.preventDefault()
  const view = viewOf(Object.fromEntries(new URL(currentTarget.href).searchParams))
  if (currentTarget.dataset.clearSearch !== undefined) $('#search').val('').trigger('focus')
  await goTo(view, 'push')
  if (currentTarget.dataset.page) {
    scrollTo({ top: 0 })
    announce(`Page ${view.page} of ${pageCount()}`)
    visibleRows()[0]?.focus({ preventScroll: true })
  }
}

function searchAsTyped(): void {
  let pause: ReturnType<typeof setTimeout> | undefined
  let isTyping = false
  const search = async () => {
    clearTimeout(pause)
    const q = String($('#search').val()).trim()
    const { show } = currentView()
    if (q === currentView().q) return
    // One step back leads out of the search, however many letters it took.
    await goTo({ show, q, page: 1 }, isTyping ? 'replace' : 'push')
    isTyping = true
    const found = visibleRows().length
    if (q) announce(found === 0 ? 'Nothing found' : `${found} shown`)
  }
  $('#search')
    .on('input', () => {
      clearTimeout(pause)
      pause = setTimeout(() => void search(), TYPING_PAUSE)
    })
    // Escape empties the field, and a browser may tell of that by this event alone.
    .on('search', () => void search())
    .on('blur', () => {
      isTyping = false
    })
  $('#search-form').on('submit', (event) => {
    event.preventDefault()
    void search()
  })
}

/** Lets links, the search field and Back change the view without a new page. */
export function watchNavigation(): void {
  // The address may name a page behind the last one.
  const [page = 1, pages = 1] = ($('#page-number').text().match(/\d+/g) ?? []).map(Number)
  setView({ ...viewInAddress(), page }, pages)
  shownPath = homePath(currentView())
  $('.filters a, #pager a, [data-clear-search], [data-search-all]').on(
    'click',
    (event) => void follow(event),
  )
  searchAsTyped()
  addEventListener('popstate', () => {
    const view = viewInAddress()
    $('#search').val(view.q)
    void goTo(view, 'stay')
  })
  document.addEventListener('visibilitychange', lookAgain)
  // Of two windows side by side, none is ever hidden.
  addEventListener('focus', lookAgain)
  addEventListener('online', refreshWhenIdle)
  onIdle(refreshWhenIdle)
}
