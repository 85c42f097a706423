import $ from 'jquery'
import { copyOf } from '../template.ts'

/** Tells those who listen, without moving the focus. */
export const announce = (text: string): void => {
  $('#announcer').text(text)
}

/** Tells those who listen at once what went wrong. */
export const warn = (text: string): void => {
  $('#alarm').text(text)
}

interface Action {
  readonly label: string
  readonly run: () => void
}

interface Message {
  readonly text: string
  readonly action?: Action
  /** In milliseconds; without it the message stays until it is dismissed or taken away. */
  readonly lifetime?: number
  readonly isAlarm?: boolean
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

/** Where the focus was before it went to the messages. */
let cameFrom: Element | null = null

// When the window gets the focus back, it returns to where it was, and no element is named.
const noteFocus = ({ relatedTarget: from }: JQuery.FocusInEvent): void => {
  if (from instanceof Element && !from.closest('#toasts')) cameFrom = from
}

/** Gives the focus back to where it was, or to what is nearest to that. */
function giveFocusBack(): void {
  if (!cameFrom) return
  const places = [cameFrom, cameFrom.closest('.todo'), document.getElementById('new-text')]
  const place = places.find((each) => each?.checkVisibility())
  if (place instanceof HTMLElement) place.focus()
  cameFrom = null
}

/** Shows a message at the foot of the window. Its time stands still under the pointer and the focus. */
export function show({ text, action, lifetime, isAlarm = false, lasts = false }: Message): Shown {
  const toast = $(copyOf('toast-template'))
  const words = toast.find('p')
  let timer: ReturnType<typeof setTimeout> | undefined
  const close = () => {
    clearTimeout(timer)
    const hadFocus = toast.is(':focus-within')
    toast.detach()
    if (hadFocus) giveFocusBack()
  }
  const start = () => {
    clearTimeout(timer)
    if (lifetime !== undefined) timer = setTimeout(close, lifetime)
  }
  const isShown = () => toast.parent().length > 0
  const say = (next: string) => {
    if (next === words.text()) return
    words.text(next)
    if (!isShown()) $('#toasts').append(toast)
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
  toast.find('[data-action=dismiss]').on('click', close)
  toast
    .on('focusin', noteFocus)
    .on('mouseenter focusin', () => clearTimeout(timer))
    .on('mouseleave focusout', start)
  say(text)
  start()
  return { isShown, say, close }
}

/** Says that something was refused. The message goes by itself, so it may not be all that is left of a text. */
export const alarm = (text: string, action?: Action): Shown =>
  show({ text, isAlarm: true, lifetime: 20_000, ...(action && { action }) })
