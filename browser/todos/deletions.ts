import type { Counts } from '../../src/features/todos/links.ts'
import { person } from '../page-data.ts'
import * as storage from '../storage.ts'
import { count, hide, rows, unhide } from './list.ts'
import { holdsText, isTicked, knownOf } from './row.ts'

// What is deleted for the eye, and not yet by the server. Each such todo that the server knows is noted in
// the browser's storage too: a page may end before it can ask for the deletion, and the next one makes up
// for it.

/** How long a deletion can be undone, in milliseconds. */
export const SECOND_THOUGHTS = 8_000

interface Undoable {
  readonly timer: ReturnType<typeof setTimeout>
  /** Takes the offer to undo it away. */
  readonly withdraw: () => void
}

/** Rows that were deleted on this page, each with what there is as long as that can be undone. */
const deletedHere = new Map<HTMLElement, Undoable | undefined>()

const prefix = (): string => `deleted/${person()}/`

/** Whether a key of the storage is that of a note on a deletion. */
export const isNote = (key: string | null): boolean => key?.startsWith(prefix()) === true

interface Note {
  /** When the deletion is final, by the browser's clock. */
  readonly finalAt: number
  /** The `updated_at` of what was deleted. */
  readonly version: string | undefined
}

/** What this person deleted, here or on another page, by its id. */
export function noted(): Map<number, Note> {
  const notes = [...storage.kept()].filter(([key]) => isNote(key))
  return new Map(
    notes.map(([key, value]) => {
      const [finalAt, version] = value.split(' ')
      return [Number(key.slice(prefix().length)), { finalAt: Number(finalAt), version }]
    }),
  )
}

/** Notes the deletion of a row, where it is one and the server knows the todo. */
export function note(row: HTMLElement): void {
  const { id, updated_at } = knownOf(row)
  if (id === undefined || !deletedHere.has(row)) return
  storage.keep(`${prefix()}${id}`, `${Date.now() + SECOND_THOUGHTS} ${updated_at}`)
}

export const forget = (id: number): void => storage.forget(`${prefix()}${id}`)

/** Begins a deletion, and calls `finish` when it has not been undone in time. */
export function begin(row: HTMLElement, finish: () => void, withdraw: () => void): void {
  row.dataset.deleting = ''
  deletedHere.set(row, { timer: setTimeout(finish, SECOND_THOUGHTS), withdraw })
  note(row)
}

/** Ends the time in which a deletion can be undone, and the offer; false when it is over already. */
export function endUndo(row: HTMLElement): boolean {
  const undoable = deletedHere.get(row)
  if (!undoable) return false
  clearTimeout(undoable.timer)
  deletedHere.set(row, undefined)
  undoable.withdraw()
  return true
}

/** Ends a deletion: it was undone, or the server has answered. */
export function end(row: HTMLElement): void {
  const { id } = knownOf(row)
  clearTimeout(deletedHere.get(row)?.timer)
  deletedHere.delete(row)
  delete row.dataset.deleting
  if (id !== undefined) forget(id)
}

/** Makes final what could still be undone here, and leaves it to the notes. Gives the todos' ids. */
export function leaveToNotes(): number[] {
  const ids: number[] = []
  for (const row of deletedHere.keys()) {
    const { id } = knownOf(row)
    if (id === undefined || !endUndo(row)) continue
    note(row)
    deletedHere.delete(row)
    ids.push(id)
  }
  return ids
}

/** The ids of what was deleted on this page. */
export const idsDeletedHere = (): Set<number | undefined> =>
  new Set([...deletedHere.keys()].map((row) => knownOf(row).id))

/**
 * Hides the rows of the list that are being deleted, unless a text is edited or waits there. Shows rows
 * again whose deletion was undone on another page. The server still counts what is hidden, so it is
 * taken off the counts.
 */
export function showDeletions(): void {
  const notes = noted()
  for (const row of rows()) {
    if (deletedHere.has(row)) continue
    const { id } = knownOf(row)
    if (id !== undefined && notes.has(id) && !holdsText(row)) {
      row.dataset.deleting = ''
      hide(row)
    } else if (row.dataset.deleting !== undefined) {
      delete row.dataset.deleting
      unhide(row)
    }
  }
  const { all, open, done } = beingDeleted()
  count({ all: -all, open: -open, done: -done })
}

function beingDeleted(): Counts {
  const here = idsDeletedHere()
  const elsewhere = rows().filter(
    (row) => row.dataset.deleting !== undefined && !here.has(knownOf(row).id),
  )
  // The server may not count yet what is still being added.
  const going = [...deletedHere.keys(), ...elsewhere].filter(
    (row) => row.dataset.saving === undefined,
  )
  const done = going.filter(isTicked).length
  return { all: going.length, open: going.length - done, done }
}
