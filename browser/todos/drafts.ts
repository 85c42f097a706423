import $ from 'jquery'
import { isRecord } from '../../src/lib/record.ts'
import { person } from '../page-data.ts'
import { tab } from '../storage.ts'
import { part } from '../template.ts'
import * as deletions from './deletions.ts'
import * as field from './field.ts'
import { countRow, insertFirst } from './list.ts'
import { refresh } from './navigation.ts'
import { isDraft, isTicked, knownOf, newRow, rowOf, textOf } from './row.ts'
import { rows, visibleRows } from './rows.ts'
import { look } from './todo.ts'

// What is typed and not saved. A browser throws away the page of a tab that nobody looks at, on a phone most
// of all, and draws it anew when somebody does: the tab keeps the words.

/** The field of a todo. */
interface Field {
  /** Undefined for a todo that only the page has, since the server refused it or has it no more. */
  readonly id: number | undefined
  readonly text: string
  /** The text that the field began with. */
  readonly before: string
  readonly completed: boolean
  /** Why the text was not saved; empty when it was not asked for. */
  readonly fault: string
}

interface Drafts {
  /** What is typed for a new todo. */
  readonly added: string
  /** In the order of the list. */
  readonly fields: readonly Field[]
}

const isField = (value: unknown): value is Field =>
  isRecord(value) &&
  (value.id === undefined || Number.isSafeInteger(value.id)) &&
  typeof value.text === 'string' &&
  typeof value.before === 'string' &&
  typeof value.completed === 'boolean' &&
  typeof value.fault === 'string'

const isDrafts = (value: unknown): value is Drafts =>
  isRecord(value) &&
  typeof value.added === 'string' &&
  Array.isArray(value.fields) &&
  value.fields.every(isField)

const key = (): string => `typed/${person()}`

const typedForNew = (): string => String($('#new-text').val())

/** Whether a todo is only in its field, or has another text there than the one saved. */
const isTyped = (row: HTMLElement): boolean => isDraft(row) || field.isChanged(row)

/** Whether there is something typed that would be lost with the tab. */
export const isAnyTyped = (): boolean => typedForNew().trim() !== '' || visibleRows().some(isTyped)

function fieldOf(row: HTMLElement): Field {
  return {
    id: knownOf(row).id,
    text: field.typedIn(row),
    before: row.dataset.editing ?? '',
    completed: isTicked(row),
    fault: field.faultIn(row),
  }
}

/** Has the tab keep what is typed, or nothing. */
function keep(): void {
  if (!isAnyTyped()) {
    tab.forget(key())
    return
  }
  const isOpen = ({ dataset }: HTMLElement) => dataset.editing !== undefined
  const fields = visibleRows().filter(isOpen).filter(isTyped).map(fieldOf)
  const drafts: Drafts = { added: typedForNew(), fields }
  tab.keep(key(), JSON.stringify(drafts))
}

/** The row of the todo that was in a field, or a new one on top. */
function rowFor({ id, text, before, completed }: Field): HTMLElement {
  const isBeingAdded = (row: HTMLElement) =>
    row.dataset.saving !== undefined && textOf(row) === before
  const isIts = (row: HTMLElement) =>
    id === undefined ? isBeingAdded(row) : knownOf(row).id === id
  const there = rows().find(isIts)
  if (there) return there
  const row =
    id === undefined ? newRow(text) : rowOf({ id, text: before, completed, updated_at: '' })
  insertFirst(row)
  if (isDraft(row)) countRow(row, 1)
  else void lookUp(row)
  return row
}

/** Learns what became of a todo that the list does not have. */
async function lookUp(row: HTMLElement): Promise<void> {
  try {
    await look(row)
  } catch {
    // It is looked at again before it is saved, and what is wrong is said then.
  }
  refresh()
}

/** The text of a todo that goes, on another page, is that of a new one, as when it is gone. */
const unlessGoing = (left: Field): Field =>
  left.id !== undefined && deletions.noted().has(left.id)
    ? { ...left, id: undefined, fault: `Not saved: ${field.GONE}` }
    : left

/** Opens a field as it was left. */
function restore(left: Field): void {
  const row = rowFor(left)
  field.reopen(row, left.text, left.before)
  if (left.fault) field.sayFault(row, left.fault)
}

/** Puts back what was typed for a new todo, before what was typed on the new page until this runs. */
function restoreNew(text: string): void {
  const input = part(document.body, '#new-text')
  if (!(input instanceof HTMLInputElement)) throw new Error('There is no field for new todos.')
  const { value, defaultValue } = input
  // What the server sent along is of a form that it gave back.
  if (value === '' || value !== defaultValue) input.value = text + value
}

/** Brings back what was typed in this tab, and has it kept from now on. */
export function watchDrafts(list: HTMLElement): void {
  const drafts = tab.read(key(), isDrafts)
  if (drafts) {
    restoreNew(drafts.added)
    // Each new row goes on top of those before it.
    for (const each of drafts.fields.toReversed()) restore(unlessGoing(each))
  }
  $('#todo-page').on('input', keep)
  // Fields are opened and closed, refused, deleted with their todos, and given the ids of those without a word being typed.
  new MutationObserver(keep).observe(list, {
    subtree: true,
    childList: true,
    attributeFilter: ['data-editing', 'data-id', 'hidden'],
  })
}
