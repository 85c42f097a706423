import { isRecord } from '../../src/lib/record.ts'
import { uniqueKey } from '../api.ts'
import * as additions from './additions.ts'
import { notesOf } from './notes.ts'
import { isTicked, knownOf, madeOf, textOf, wantsText, wantsTick } from './row.ts'

// What was changed of todos that the server has. It is noted until the server has that, too.

/** What a person wants of a todo, as far as the server has not confirmed it. */
export interface Change {
  readonly id: number
  readonly text?: string
  readonly completed?: boolean
  /** What the server had when it was last heard. */
  readonly known: { readonly text: string; readonly completed: boolean }
  /** The texts of which the one wanted was made: the server may have any of them. */
  readonly madeOf: readonly string[]
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTick = (value: unknown): value is boolean => typeof value === 'boolean'

const isChange = (value: unknown): value is Change =>
  isRecord(value) &&
  Number.isSafeInteger(value.id) &&
  Number(value.id) > 0 &&
  (value.text === undefined || isText(value.text)) &&
  (value.completed === undefined || isTick(value.completed)) &&
  isRecord(value.known) &&
  isText(value.known.text) &&
  isTick(value.known.completed) &&
  Array.isArray(value.madeOf) &&
  value.madeOf.every(isText)

const notes = notesOf('changed', isChange)

/** Two pages may change one todo, and neither knows for what the other waits. */
const page = uniqueKey()
const nameOf = (id: number): string => `${id}/${page}`

/** The rows of which something is noted here, by the names of the notes. */
const noted = new Map<string, HTMLElement>()

/** Notes what is wanted of a row, or that nothing is any more: the server has it, or refused it. */
export function note(row: HTMLElement): void {
  const { id, text, completed } = knownOf(row)
  if (id === undefined || additions.isNoted(row)) return
  const name = nameOf(id)
  // What is deleted goes as the server has it.
  if ((wantsText(row) || wantsTick(row)) && row.dataset.deleting === undefined) {
    noted.set(name, row)
    notes.keep(name, {
      id,
      ...(wantsText(row) && { text: textOf(row) }),
      ...(wantsTick(row) && { completed: isTicked(row) }),
      known: { text, completed },
      madeOf: madeOf(row),
    })
  } else if (noted.get(name) === row) {
    noted.delete(name)
    forget(name)
  }
}

export const forget = notes.forget

/** What this person changed on any page, by the names of the notes. */
export const allNoted = notes.all

/** Calls `letGo` for a row whose note another page took away: that page makes the change, or it is forgotten. */
export function watchTakingOver(letGo: (row: HTMLElement) => void): void {
  addEventListener('storage', ({ key, newValue }) => {
    const row = noted.get(notes.nameIn(key) ?? '')
    if (row && newValue === null) letGo(row)
  })
}
