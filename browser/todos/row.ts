import type { Todo } from '../../src/features/todos/schema.ts'
import { Refused } from '../api.ts'
import { copyOf, part } from '../template.ts'

/** A todo as the server said it last. */
interface Known {
  /** Undefined until the server has given it one. */
  readonly id: number | undefined
  readonly text: string
  readonly completed: boolean
  /** The entity tag of what is known; undefined when only a newer list said it. */
  readonly tag: string | undefined
  readonly updated_at: string
}

/** What the person did and the server has not confirmed yet. It is what the row shows. */
interface Wanted {
  text?: string
  completed?: boolean
}

interface State {
  known: Known
  wanted: Wanted
  /** The texts of which the one wanted was made, one after the other; none when none is wanted. */
  madeOf: readonly string[]
}

/** What a row shows of a todo. */
type Shown = Pick<Todo, 'id' | 'text' | 'completed' | 'updated_at'>

const states = new WeakMap<HTMLElement, State>()

function stateOf(row: HTMLElement): State {
  const kept = states.get(row)
  if (kept) return kept
  // The server made this row, and wrote there what it knows.
  const { id, tag, updatedAt = '', completed } = row.dataset
  const state: State = {
    known: {
      id: Number(id),
      text: textElement(row).textContent,
      completed: completed !== undefined,
      tag,
      updated_at: updatedAt,
    },
    wanted: {},
    madeOf: [],
  }
  states.set(row, state)
  return state
}

export const knownOf = (row: HTMLElement): Known => stateOf(row).known

/** The id that the server gave the row's todo. Throws, as the server would, when it has none. */
export function idOf(row: HTMLElement): number {
  const { id } = knownOf(row)
  if (id === undefined) throw new Refused(404, 'It is not saved.')
  return id
}

/** Whether only this page has the todo, since the server refused it or has it no more. */
export const isDraft = (row: HTMLElement): boolean =>
  knownOf(row).id === undefined && row.dataset.saving === undefined

const textElement = (row: HTMLElement): HTMLElement => part(row, '.todo-text')

export function textOf(row: HTMLElement): string {
  const { known, wanted } = stateOf(row)
  return wanted.text ?? known.text
}

/** The texts of which the one wanted was made. The server may have any of them, where its answers were lost. */
export const madeOf = (row: HTMLElement): readonly string[] => stateOf(row).madeOf

/** Whether a text was saved there that the server has not confirmed. */
export const wantsText = (row: HTMLElement): boolean => stateOf(row).wanted.text !== undefined

/** Whether it was ticked or opened there and the server has not confirmed that. */
export const wantsTick = (row: HTMLElement): boolean => stateOf(row).wanted.completed !== undefined

/** Whether a text is being edited there, or waits to be confirmed. */
export const holdsText = (row: HTMLElement): boolean =>
  row.dataset.editing !== undefined || wantsText(row)

export function isTicked(row: HTMLElement): boolean {
  const { known, wanted } = stateOf(row)
  return wanted.completed ?? known.completed
}

/** Takes back all that is wanted and not confirmed. */
export const letGo = (row: HTMLElement): void =>
  settle(row, { text: textOf(row), completed: isTicked(row) })

let whenChanged: (row: HTMLElement) => void = () => {}

/** Sets what to do each time that what is known or wanted of a row became something else. */
export function onChange(work: (row: HTMLElement) => void): void {
  whenChanged = work
}

/** Marks a row as being deleted, or as not. */
export function markDeleting(row: HTMLElement, isDeleting: boolean): void {
  row.toggleAttribute('data-deleting', isDeleting)
  whenChanged(row)
}

/** Shows what the person wants at once. A text was made of others. */
export function want(row: HTMLElement, wanted: Wanted, madeOf: readonly string[] = []): void {
  const state = stateOf(row)
  Object.assign(state.wanted, wanted)
  state.madeOf = [...state.madeOf, ...madeOf]
  show(row)
}

/** Forgets what was wanted, be it confirmed or refused, unless something else is wanted by now. */
export function settle(row: HTMLElement, { text, completed }: Wanted): void {
  const state = stateOf(row)
  const { wanted } = state
  if (text !== undefined && wanted.text === text) {
    delete wanted.text
    state.madeOf = []
  }
  if (completed !== undefined && wanted.completed === completed) delete wanted.completed
  show(row)
}

/** Notes what the server says of the row's todo. */
export function learn(row: HTMLElement, todo: Shown, tag: string | undefined): void {
  const state = stateOf(row)
  const { known } = state
  if (known.id === undefined) {
    name(row, String(todo.id))
    delete row.dataset.saving
  }
  // A list names no tags; the one that is known is good as long as nothing changed.
  const kept = known.updated_at === todo.updated_at ? known.tag : undefined
  const { id, text, completed, updated_at } = todo
  state.known = { id, text, completed, updated_at, tag: tag ?? kept }
  show(row)
}

function show(row: HTMLElement): void {
  textElement(row).textContent = textOf(row)
  const completed = isTicked(row)
  row.toggleAttribute('data-completed', completed)
  part(row, '.tick').setAttribute('aria-pressed', String(completed))
  whenChanged(row)
}

let unsaved = 0

/** A row for a todo that the server does not have. */
export function newRow(text: string): HTMLElement {
  const row = copyOf('row-template')
  name(row, `new-${++unsaved}`)
  const known = { id: undefined, text, completed: false, tag: undefined, updated_at: '' }
  states.set(row, { known, wanted: {}, madeOf: [] })
  show(row)
  return row
}

export function rowOf(todo: Shown): HTMLElement {
  const row = newRow(todo.text)
  learn(row, todo, undefined)
  return row
}

const NAMED = ['id', 'aria-labelledby', 'aria-describedby', 'action', 'href', 'data-id']

/** What refers to the todo by its old id, 0 in the template, refers to it by the new one. */
function name(row: HTMLElement, id: string): void {
  const old = row.dataset.id ?? '0'
  for (const element of [row, ...row.querySelectorAll('*')]) {
    for (const attribute of NAMED) {
      const value = element.getAttribute(attribute)
      if (value) element.setAttribute(attribute, value.replaceAll(old, id))
    }
  }
}
