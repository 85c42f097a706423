import $ from 'jquery'
import { homePath, type View, viewOf } from '../../src/features/todos/links.ts'
import { Away, Refused, SignedOut } from '../api.ts'
import { showDeletions } from './deletions.ts'
import {
  currentView,
  hide,
  insertFirst,
  isBehind,
  isOutOfView,
  noteShown,
  pageCount,
  presentRow,
  render,
  sayBehind,
  setView,
  unhide,
} from './list.ts'
import { announce, type Shown, show } from './messages.ts'
import { readView } from './reading.ts'
import { retrying } from './retry.ts'
import { holdsText } from './row.ts'
import { holdFocus, visibleRows } from './rows.ts'
import { sayEnded } from './session.ts'
import { pageSize } from './todo.ts'
import { isIdle, onIdle, writesAnswered } from './writes.ts'

/** A list this old, in milliseconds, is read anew when the person comes back to the window. */
const STALE = 15_000

/** How long, in milliseconds, a view may take to be read before the page says so. */
const MOMENT = 300

let running: AbortController | undefined
let slow: ReturnType<typeof setTimeout> | undefined
let failure: Shown | undefined
const retry = retrying(reload)
let askedAt = Date.now()
/** Where the view that is being read was scrolled to when the person left it. */
let scrolledTo: number | undefined
/** Set while the person has come back to a view that is not that old. */
let look: ReturnType<typeof setTimeout> | undefined
/** Set when the page shows what the server may know better, once everything is written. */
let isStale = false

export const viewInAddress = (): View =>
  viewOf(Object.fromEntries(new URLSearchParams(location.search)))

/** Notes in the present step of the history where the page is scrolled to. */
export function notePlace(): void {
  if (!isBehind()) history.replaceState({ scrolledTo: scrollY }, '')
}

/**
 * Shows another view. `how` says whether Back leads to the present one, and `place` where it is scrolled to
 * once its rows are there. Gives false when it is not shown: it could not be read, or another one was asked
 * for meanwhile.
 */
export function goTo(
  view: View,
  how: 'push' | 'replace' | 'stay',
  place?: number,
): Promise<boolean> {
  const path = homePath(view)
  const isHere = path === location.pathname + location.search
  if (how === 'push' && !isHere) {
    notePlace()
    history.pushState(null, '', path)
  }
  scrolledTo = place
  if (how === 'replace') history.replaceState(null, '', path)
  setView(view, pageCount())
  retry.reset()
  // Who dismissed the message has asked anew, and hears anew when it fails.
  if (!failure?.isShown()) failure = undefined
  return load(view)
}

async function load(view: View): Promise<boolean> {
  running?.abort()
  retry.stop()
  clearTimeout(look)
  const own = new AbortController()
  running = own
  askedAt = Date.now()
  $('#todos').attr('aria-busy', 'true')
  // It goes on across what is asked for in quick succession, such as each letter of a search.
  slow ??= setTimeout(saySlow, MOMENT)
  try {
    const isShown = await read(view, own.signal)
    if (!own.signal.aborted) saySuccess()
    return isShown
  } catch (error) {
    if (!own.signal.aborted) sayFailure(error)
    return false
  } finally {
    if (running === own) {
      running = undefined
      $('#todos').removeAttr('aria-busy')
      clearTimeout(slow)
      slow = undefined
    }
  }
}

function saySlow(): void {
  slow = undefined
  sayBehind('Loading…')
}

function saySuccess(): void {
  retry.reset()
  if (failure) announce('The list is loaded.')
  closeFailure()
}

function sayFailure(error: unknown): void {
  sayBehind('Not loaded yet')
  if (error instanceof SignedOut) {
    closeFailure()
    sayEnded(reload)
    return
  }
  if (error instanceof Away) {
    isStale = true
    retry.later(error)
  }
  const text =
    error instanceof Refused ? error.message : 'The list cannot be read: the server is away.'
  failure?.say(text)
  const action = { label: 'Retry', run: () => void reload() }
  failure ??= show({ text, isAlarm: true, lasts: true, action })
  if (!(error instanceof Refused || error instanceof Away)) throw error
}

function closeFailure(): void {
  failure?.close()
  failure = undefined
}

async function reload(): Promise<void> {
  await load(currentView())
}

async function read(view: View, signal: AbortSignal): Promise<boolean> {
  const before = writesAnswered()
  const { todos, total, pages, counts } = await readView(view, signal)
  if (signal.aborted) return false
  // Shown as it is, it would take back what was just written.
  if (writesAnswered() !== before) return read(view, signal)
  isStale = !isIdle()
  if (view.page > pages) return goTo({ ...view, page: pages }, 'replace')
  const isOtherView = isBehind()
  const moveFocusOn = holdFocus(isOtherView)
  noteShown()
  setView(view, pages)
  render(todos, total, counts, isOtherView)
  showDeletions()
  // The browser has tried, while the rows of another view stood there, which may be fewer.
  if (scrolledTo !== undefined) scrollTo({ top: scrolledTo })
  scrolledTo = undefined
  moveFocusOn()
  return true
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

/**
 * Reads the view anew for the person who comes back, or looks at this window after another one: as soon as
 * it is that old.
 */
function lookAgain(): void {
  clearTimeout(look)
  // What is being read is new.
  if (running || document.visibilityState !== 'visible') return
  const age = Date.now() - askedAt
  if (age >= STALE) refresh()
  else look = setTimeout(lookAgain, STALE - age)
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

/** Gives what undoes a change of a row in the present view by `change`, and leads back to the todo. */
export function undoing(changed: HTMLElement, change: (row: HTMLElement) => void): () => void {
  const view = currentView()
  return () => {
    const row = presentRow(changed)
    change(row)
    unhide(row)
    if (!row.isConnected) {
      // The list was read without it, and gives it its place when it is read anew.
      if (currentView() === view || holdsText(row)) insertFirst(row)
      refresh()
    }
    row.focus()
  }
}

/** Whether a click on a link is for another tab or window, or saves what is there. */
export const leadsElsewhere = (click: JQuery.TriggeredEvent): boolean =>
  [click.ctrlKey, click.metaKey, click.shiftKey, click.altKey].includes(true)

/** Begins with the view that the server drew, and reads it anew when it may be old. */
export function watchNavigation(): void {
  // The address may name a page behind the last one.
  const [page = 1, pages = 1] = ($('#page-number').text().match(/\d+/g) ?? []).map(Number)
  setView({ ...viewInAddress(), page }, pages)
  noteShown()
  document.addEventListener('visibilitychange', lookAgain)
  // Of two windows side by side, none is ever hidden.
  addEventListener('focus', lookAgain)
  addEventListener('online', refreshWhenIdle)
  onIdle(refreshWhenIdle)
}
