import $ from 'jquery'
import { copyOf } from '../template.ts'

/** Tells those who listen, without moving the focus. */
export const announce = (text: string): void => {
  $('#announcer').text(text)
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
}

export interface Shown {
  /** Takes the message away. */
  close(): void
}

/** Shows a message at the foot of the window. Its time stands still under the pointer and the focus. */
export function show({ text, action, lifetime, isAlarm = false }: Message): Shown {
  const toast = $(copyOf('toast-template'))
  let timer: ReturnType<typeof setTimeout> | undefined
  const close = () => {
    clearTimeout(timer)
    toast.remove()
  }
  const start = () => {
    clearTimeout(timer)
    if (lifetime !== undefined) timer = setTimeout(close, lifetime)
  }
  toast.find('p').text(text)
  toast
    .find('[data-action=act]')
    .text(action?.label ?? '')
    .prop('hidden', !action)
    .on('click', () => {
      close()
      action?.run()
    })
  toast.find('[data-action=dismiss]').on('click', close)
  toast.on('mouseenter focusin', () => clearTimeout(timer)).on('mouseleave focusout', start)
  $('#toasts').append(toast)
  $(isAlarm ? '#alarm' : '#announcer').text(text)
  start()
  return { close }
}

/** Something was refused: says so, and what was lost by it. */
export const alarm = (text: string, action?: Action): Shown =>
  show({ text, isAlarm: true, lifetime: 20_000, ...(action && { action }) })
