import { isRecord } from '../../src/lib/record.ts'
import * as additions from './additions.ts'
import { notesOf } from './notes.ts'
import { isTicked, knownOf, madeOf, textOf, wantsText, wantsTick } from './row.ts'

// What was changed of todos that the server has. It is noted until the server has that, too.

interface Content {
  readonly text: string
  readonly completed: boolean
}

/** A todo as the person left it, and what they made it of. */
interface Note extends Content {
  readonly id: number
  readonly before: Content
}

const isContent = (value: unknown): value is Record<string, unknown> & Content =>
  isRecord(value) && typeof value.text === 'string' && typeof value.completed === 'boolean'

const isNote = (value: unknown): value is Note =>
  isContent(value) && typeof value.id === 'number' && isContent(value.before)

const notes = notesOf('changed', isNote)
const noted = new WeakSet<HTMLElement>()

/** Notes a row as it is now, or that nothing of it waits: the server has it, or refused it. */
export function note(row: HTMLElement): void {
  const { id, completed } = knownOf(row)
  if (id === undefined || additions.isNoted(row)) return
  // What is deleted goes as the server has it.
  if ((wantsText(row) || wantsTick(row)) && row.dataset.deleting === undefined) {
    const before = { text: madeOf(row), completed }
    notes.keep(String(id), { id, text: textOf(row), completed: isTicked(row), before })
    noted.add(row)
  } else if (noted.delete(row)) forget(id)
}

export const forget = (id: number): void => notes.forget(String(id))

/** What this person changed on any page. */
export const allNoted = notes.all
