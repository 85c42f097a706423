import $ from 'jquery'
import { copyOf, part } from '../template.ts'
import { insteadOfRows } from './rows.ts'

/** After so many milliseconds words were heard. Who reads through the page later would take them for news. */
const HEARD = 10_000

/** So many characters are said of a text. Who listens cannot skip the rest, as the eye does. */
const SAID_MAX = 200

const brief = (text: string): string =>
  text.length > SAID_MAX ? `${text.slice(0, SAID_MAX)}…`.toWellFormed() : text

function speaker(region: string): (text: string) => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  return (text) => {
    clearTimeout(timer)
    $(region).text(brief(text))
    timer = setTimeout(() => $(region).empty(), HEARD)
  }
}

/** Tells those who listen, without moving the focus. */
export const announce = speaker('#announcer')

/** Tells those who listen at once what went wrong. */
export const warn = speaker('#alarm')

/** Takes words away that were said, unless others came after them. */
function unsay(text: string): void {
  for (const region of $('#announcer, #alarm').get()) {
    if (region.textContent === brief(text)) $(region).empty()
  }
}

interface Action {
  readonly label: string
  readonly run: () => void
}

export interface Message {
  readonly text: string
  readonly action?: Action
  /** In milliseconds; without it the message stays until it is dismissed or taken away. */
  readonly lifetime?: number
  readonly isAlarm?: boolean
  /** Called when the lifetime is over, also of one that was dismissed. */
  readonly onExpire?: () => void
  /** Called each time that the lifetime begins, and every few seconds while it stands still. */
  readonly onRenew?: () => void
  /** Whether it tells of a state that lasts, which the action alone does not end. */
  readonly lasts?: boolean
}

export interface Shown {
  /** False as soon as it was dismissed or taken away. */
  isShown(): boolean
  /** Changes the words. One that was dismissed comes back when there is something new to say. */
  say(text: string): void
  /** Takes the message away. */
  close(): void
}

/** How often one hears, in milliseconds, that the time of a message stands still. */
const BEAT = 4_000

/** Where the focus was before it went to the messages. */
let cameFrom: Element | null = null

// When the window gets the focus back, it returns to where it was, and no element is named.
const noteFocus = ({ relatedTarget: from }: JQuery.FocusInEvent): void => {
  if (from instanceof Element && !from.closest('#toasts')) cameFrom = from
}

/** Gives the focus back to where it was, or to what is nearest to that. */
function giveFocusBack(): void {
  if (!cameFrom) return
  const places = [cameFrom, cameFrom.closest('.todo'), insteadOfRows()]
  const place = places.find((each) => each?.checkVisibility())
  if (place instanceof HTMLElement) place.focus()
  cameFrom = null
}

/** Shows a message at the foot of the window. Its time stands still under the pointer and the focus. */
export function show(message: Message): Shown {
  const { text, action, lifetime, onExpire, onRenew, isAlarm = false, lasts = false } = message
  const toast = $(copyOf('toast-template')).attr('data-lasts', lasts ? '' : null)
  const words = toast.find('p')
  let timer: ReturnType<typeof setTimeout> | undefined
  let beat: ReturnType<typeof setInterval> | undefined
  const isShown = () => toast.parent().length > 0
  const stop = () => {
    clearTimeout(timer)
    clearInterval(beat)
  }
  const close = () => {
    const hadFocus = toast.is(':focus-within')
    toast.detach()
    unsay(words.text())
    // After it went, since the focus leaves with it, which starts the time.
    stop()
    if (hadFocus) giveFocusBack()
  }
  const start = () => {
    stop()
    if (lifetime === undefined) return
    onRenew?.()
    timer = setTimeout(() => {
      close()
      onExpire?.()
    }, lifetime)
  }
  const hold = () => {
    stop()
    if (!onRenew) return
    onRenew()
    beat = setInterval(onRenew, BEAT)
  }
  const release = () => {
    if (isShown() && !toast.is(':hover, :focus-within')) start()
  }
  const say = (next: string) => {
    if (next === words.text()) return
    words.text(next)
    if (!isShown()) {
      const toasts = part(document.body, '#toasts')
      toasts.append(...toast.get())
      // Of more than there is room for, the newest is in sight.
      toasts.scrollTop = toasts.scrollHeight
    }
    const tell = isAlarm ? warn : announce
    tell(next)
  }
  toast
    .find('[data-action=act]')
    .text(action?.label ?? '')
    .prop('hidden', !action)
    .on('click', () => {
      // Where this leads the focus on, it is not given back.
      action?.run()
      if (!lasts) close()
    })
  toast.find('[data-action=dismiss]').on('click', () => {
    close()
    if (onExpire) start()
  })
  toast.on('focusin', noteFocus).on('mouseenter focusin', hold).on('mouseleave focusout', release)
  say(text)
  start()
  return { isShown, say, close }
}

/** Says that something was refused. The message goes by itself, so it may not be all that is left of a text. */
export const alarm = (text: string, action?: Action): Shown =>
  show({ text, isAlarm: true, lifetime: 20_000, ...(action && { action }) })

/** What the page grew by at its end, in pixels, so that its last rows can be seen above the messages. */
let room = 0

/**
 * Makes room for messages of this height. Of what is too much only that goes which lies below the window:
 * else, at the end of the page, all rows would move down when a message goes, under a finger perhaps.
 */
function makeRoom(height: number): void {
  const { scrollTop, scrollHeight } = document.documentElement
  const below = Math.max(0, Math.floor(scrollHeight - scrollTop - innerHeight))
  room = Math.max(height, room - below)
  document.documentElement.style.setProperty('--messages-room', `${room}px`)
}

/** Begins to keep what has the focus, and the end of the page, from lying behind the messages. */
export function watchMessages(): void {
  const toasts = part(document.body, '#toasts')
  const heightOf = () => (toasts.childElementCount === 0 ? 0 : toasts.offsetHeight)
  addEventListener(
    'scroll',
    () => {
      const height = heightOf()
      if (room > height) makeRoom(height)
    },
    { passive: true },
  )
  new ResizeObserver(() => {
    const height = heightOf()
    makeRoom(height)
    document.documentElement.style.setProperty('--messages-height', `${height}px`)
    const focused = document.querySelector('body :focus-visible')
    if (!focused || toasts.contains(focused)) return
    const { top, bottom } = focused.getBoundingClientRect()
    // Where the person has scrolled away from it, it may stay.
    if (top < innerHeight && bottom > innerHeight - height) {
      focused.scrollIntoView({ block: 'nearest' })
    }
  }).observe(toasts)
}
