import { isRecord } from '../../src/lib/record.ts'
import { uniqueKey } from '../api.ts'
import { notesOf } from './notes.ts'
import { isDraft, isTicked, knownOf, textOf, wantsText, wantsTick } from './row.ts'

// What is being added. It is noted until the server has all of it.

interface Begun {
  /** The same at every try, on every page: an answer that was lost on the way, or was a proxy's, adds nothing twice. */
  readonly key: string
  /** The text that is added under the key. What it was edited to since is another request. */
  readonly sent: string
  /** When it was made, in milliseconds by the browser's clock. */
  readonly at: number
}

/** An addition, and what the person made of it since. */
export interface Addition extends Begun {
  readonly text: string
  readonly completed: boolean
  readonly deleted: boolean
}

const isAddition = (value: unknown): value is Addition =>
  isRecord(value) &&
  typeof value.key === 'string' &&
  typeof value.sent === 'string' &&
  typeof value.at === 'number' &&
  typeof value.text === 'string' &&
  typeof value.completed === 'boolean' &&
  typeof value.deleted === 'boolean'

const notes = notesOf('added', isAddition)
const additions = new WeakMap<HTMLElement, Begun>()

/** Begins to add the todo of a row, and gives the key for that. */
export function begin(row: HTMLElement, text: string): string {
  const known = additions.get(row)
  const addition = known?.sent === text ? known : { key: uniqueKey(), sent: text, at: Date.now() }
  resume(row, addition)
  note(row)
  return addition.key
}

/** Lets a row go on with what was begun on another page. */
export function resume(row: HTMLElement, { key, sent, at }: Begun): void {
  additions.set(row, { key, sent, at })
}

/** Notes a row as it is now, or that it is done: the server has all of it, or refused it. */
export function note(row: HTMLElement): void {
  const addition = additions.get(row)
  if (!addition) return
  const { key } = addition
  const isWaiting = row.dataset.saving !== undefined || wantsText(row) || wantsTick(row)
  if (isWaiting && !isDraft(row)) {
    const deleted = row.dataset.deleting !== undefined
    notes.keep(key, { ...addition, text: textOf(row), completed: isTicked(row), deleted })
    return
  }
  forget(key)
  // Only what was refused may be tried again.
  if (knownOf(row).id !== undefined) additions.delete(row)
}

/** Whether all that is made of a row is noted here. */
export const isNoted = (row: HTMLElement): boolean => additions.has(row)

export const forget = notes.forget

/** What this person was adding on any page, the oldest first. */
export const allNoted = (): Addition[] =>
  [...notes.all().values()].toSorted((one, other) => one.at - other.at)
