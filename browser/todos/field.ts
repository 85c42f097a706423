import $ from 'jquery'
import { copyOf, part } from '../template.ts'
import { insertFirst, remove } from './list.ts'
import { alarm, type Shown } from './messages.ts'
import { newRow, textOf } from './row.ts'

// The field in which a row's text is edited. While it is open, `data-editing` is the text it began with.

/** What says of rows that their texts were refused, which is over once that was dealt with. */
const alarms = new WeakMap<HTMLElement, Shown>()

/** Opens the field of a row, with `draft` in it. What is typed in one that is open already stays. */
export function open(row: HTMLElement, draft = textOf(row)): void {
  if (row.dataset.editing !== undefined) return
  const form = copyOf('edit-template')
  // A text that was changed elsewhere is noticed against the one that the person had before them.
  row.dataset.editing = textOf(row)
  part(form, 'textarea').removeAttribute('autofocus')
  row.append(form)
  showText(row, false)
  $(form).find('textarea').val(draft)
}

/** Opens the field of a row as it was on a page before: with `draft` in it, made of the text `before`. */
export function reopen(row: HTMLElement, draft: string, before: string): void {
  open(row)
  row.dataset.editing = before
  $(row).find('textarea').val(draft)
}

/** Closes the field and forgets what is typed there. */
export function close(row: HTMLElement): void {
  part(row, '.edit-form').remove()
  delete row.dataset.editing
  showText(row, true)
  endAlarm(row)
}

/** Takes the message away that the text of a row was refused. */
export const endAlarm = (row: HTMLElement): void => alarms.get(row)?.close()

function showText(row: HTMLElement, isShown: boolean): void {
  part(row, '.todo-text').hidden = !isShown
  part(row, '.todo-actions').hidden = !isShown
}

/** What is typed in the open field, to the last space. */
export const typedIn = (row: HTMLElement): string => String($(row).find('textarea').val())

/** The text that is made of what is typed. */
export const draftIn = (row: HTMLElement): string => typedIn(row).trim()

/** Whether the field is open, and its text another one than at first. */
export const isChanged = (row: HTMLElement): boolean =>
  row.dataset.editing !== undefined && draftIn(row) !== row.dataset.editing

/** Moves the focus to the end of what is typed. */
export function focus(row: HTMLElement): void {
  const field = row.querySelector('textarea')
  field?.focus()
  field?.setSelectionRange(-1, -1)
}

/** Why the text is not saved, as the field says; empty where it says nothing. */
export const faultIn = (row: HTMLElement): string => part(row, '[data-fault]').textContent

export const hasFault = (row: HTMLElement): boolean => faultIn(row) !== ''

/** Says at the field why its text is not saved. */
export function sayFault(row: HTMLElement, text: string): void {
  const id = `fault-${row.id}`
  $(row).find('textarea').attr({ 'aria-invalid': 'true', 'aria-describedby': id })
  $(row).find('[data-fault]').attr('id', id).text(text).prop('hidden', false)
}

/** Lets a text that was refused be edited, and says why it was. The focus stays where it is. */
export function giveBack(row: HTMLElement, text: string, reason: string): void {
  open(row, text)
  sayFault(row, reason)
  endAlarm(row)
  alarms.set(row, alarm(`${reason} “${text}”`, { label: 'Edit', run: () => focus(row) }))
}

/** Why a text is in the field of a new todo: the end of a sentence. */
export const GONE = 'deleted somewhere else. Save adds it anew.'

/** Makes a new todo, which is not saved before the person says so, of one that is gone. */
export function replaceByDraft(row: HTMLElement, text: string, reason: string): HTMLElement {
  const draft = newRow(text)
  remove(row)
  insertFirst(draft)
  giveBack(draft, text, reason)
  return draft
}
