import { isRecord } from '../../src/lib/record.ts'
import { uniqueKey } from '../api.ts'
import { person } from '../page-data.ts'
import * as storage from '../storage.ts'
import { isDraft, isTicked, knownOf, textOf, wantsText, wantsTick } from './row.ts'

// What is being added. It is noted in the browser's storage until the server has all of it: a page may end
// before that, and the next one goes on.

interface Addition {
  /** The same at every try, on every page: an answer that was lost on the way, or was a proxy's, adds nothing twice. */
  readonly key: string
  /** The text that is added under the key. What it was edited to since is another request. */
  readonly sent: string
  /** When it was made, in milliseconds by the browser's clock. */
  readonly at: number
}

/** An addition, and what the person made of it since. */
interface Note extends Addition {
  readonly text: string
  readonly completed: boolean
  readonly deleted: boolean
}

const additions = new WeakMap<HTMLElement, Addition>()

const OF_ALL = 'added/'
const prefix = (): string => `${OF_ALL}${person()}/`

/** Begins to add the todo of a row, and gives the key for that. */
export function begin(row: HTMLElement, text: string): string {
  const known = additions.get(row)
  const addition = known?.sent === text ? known : { key: uniqueKey(), sent: text, at: Date.now() }
  resume(row, addition)
  note(row)
  return addition.key
}

/** Lets a row go on with what was begun on another page. */
export function resume(row: HTMLElement, { key, sent, at }: Addition): void {
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
    const note: Note = { ...addition, text: textOf(row), completed: isTicked(row), deleted }
    storage.keep(`${prefix()}${key}`, JSON.stringify(note))
    return
  }
  forget(key)
  // Only what was refused may be tried again.
  if (knownOf(row).id !== undefined) additions.delete(row)
}

export const forget = (key: string): void => storage.forget(`${prefix()}${key}`)

/** Forgets what anybody was adding in this browser, which the next person may use. */
export function forgetAll(): void {
  for (const key of storage.kept().keys()) if (key.startsWith(OF_ALL)) storage.forget(key)
}

/** What this person was adding on any page, the oldest first. */
export const noted = (): Note[] =>
  [...storage.kept()]
    .filter(([key]) => key.startsWith(prefix()))
    .flatMap(([, value]) => read(value))
    .toSorted((one, other) => one.at - other.at)

function read(value: string): Note[] {
  try {
    return [JSON.parse(value)].filter(isNote)
  } catch {
    // It is not of this program.
    return []
  }
}

const isNote = (value: unknown): value is Note =>
  isRecord(value) &&
  typeof value.key === 'string' &&
  typeof value.sent === 'string' &&
  typeof value.at === 'number' &&
  typeof value.text === 'string' &&
  typeof value.completed === 'boolean' &&
  typeof value.deleted === 'boolean'
