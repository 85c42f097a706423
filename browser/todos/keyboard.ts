import $ from 'jquery'
import { isComposing } from '../composing.ts'
import * as storage from '../storage.ts'
import { part } from '../template.ts'
import { edit } from './edit.ts'
import { announce } from './messages.ts'
import { remove } from './remove.ts'
import { focusedRow, visibleRows } from './rows.ts'
import { toggle } from './tick.ts'
import { undoLast } from './undo.ts'

const SWITCHED_OFF = 'shortcuts-off'

/** Keys by themselves can be switched off: speech input types them by accident (WCAG 2.2, 2.1.4). */
const isOn = (): boolean => !storage.isKept(SWITCHED_OFF)

function move(by: 1 | -1): void {
  const rows = visibleRows()
  const row = focusedRow()
  const index = row ? rows.indexOf(row) + by : by === 1 ? 0 : rows.length - 1
  rows[Math.max(0, Math.min(index, rows.length - 1))]?.focus()
}

const onRow = (act: (row: HTMLElement) => void) => () => {
  const row = focusedRow()
  if (row) act(row)
}

const focusOn = (selector: string) => () => {
  $(selector).trigger('focus')
}

const keys: Readonly<Record<string, () => void>> = {
  n: focusOn('#new-text'),
  '/': focusOn('#search'),
  j: () => move(1),
  k: () => move(-1),
  x: onRow(toggle),
  e: onRow((row) => edit(row)),
  Delete: onRow(remove),
  // The key that a Mac calls delete. Who edits may press it beside the field.
  Backspace: onRow((row) => {
    if (row.dataset.editing === undefined) remove(row)
  }),
  u: () => {
    if (!undoLast()) announce('Nothing to undo')
  },
  '?': showShortcuts,
}

function showShortcuts(): void {
  const dialog = part(document.body, '#shortcuts')
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal()
}

/** Those that change nothing, so that they can be held. */
const MOVES = ['j', 'k']

export const takesText = (element: EventTarget | null): boolean =>
  element instanceof Element && element.matches('input:not([type=checkbox]), textarea, select')

/**
 * The name of a key in the list, whatever Caps Lock says; a letter with Shift has none. A letter of another
 * script is the Latin one that such keyboards have at the same place.
 */
function nameOf({ key, code, shiftKey }: KeyboardEvent): string {
  if (!/^\p{Letter}$/u.test(key)) return key
  if (shiftKey) return ''
  return (/\p{Script=Latin}/u.test(key) ? key : code.replace('Key', '')).toLowerCase()
}

export function watchKeyboard(): void {
  addEventListener('keydown', (event) => {
    const { target, repeat, ctrlKey, metaKey, altKey } = event
    const key = nameOf(event)
    if (altKey || takesText(target) || $('dialog[open]').length > 0) return
    if (ctrlKey || metaKey) {
      // It cannot be typed by accident, so it is there also when the keys by themselves are not.
      if (key === 'z' && (repeat || undoLast())) event.preventDefault()
      return
    }
    if (!Object.hasOwn(keys, key) || (key.length === 1 && key !== '?' && !isOn())) return
    event.preventDefault()
    if (!repeat || MOVES.includes(key)) keys[key]?.()
  })
  $('#new-text, #search').on('keydown', (event) => {
    if (event.key !== 'Escape' || isComposing(event.originalEvent)) return
    event.currentTarget.blur()
  })
  $('#show-shortcuts').prop('hidden', false).on('click', showShortcuts)
  $('#shortcuts-on')
    .prop('checked', isOn())
    .on('change', (event) => {
      if ($(event.currentTarget).prop('checked')) storage.forget(SWITCHED_OFF)
      else storage.keep(SWITCHED_OFF, '')
    })
}
