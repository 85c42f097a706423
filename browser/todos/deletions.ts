import type { Counts } from '../../src/features/todos/links.ts'
import { person } from '../page-data.ts'
import * as storage from '../storage.ts'
import { count, hide, rows, unhide } from './list.ts'
import { isTicked, knownOf } from './row.ts'

// What is deleted for the eye, and not yet by the server. Each such todo is noted in the browser's
// storage too: a page may end before it can ask for the deletion, and the next one makes up for it.

/** How long a deletion can be undone, in milliseconds. */
export const SECOND_THOUGHTS = 8_000

/** Rows that were deleted on this page, each with its timer as long as that can be undone. */
const deletedHere = new Map<HTMLElement, ReturnType<typeof setTimeout> | undefined>()

const prefix = (): string => `deleted/${person()}/`

/** Whether a key of the storage is that of a note on a deletion. */
export const isNote = (key: string | null): boolean => key?.startsWith(prefix()) === true

/** The ids of what this person deleted, here or on another page, each with the time at which that is final. */
export function noted(): Map<number, number> {
  const notes = [...storage.kept()].filter(([key]) => isNote(key))
  return new Map(notes.map(([key, at]) => [Number(key.slice(prefix().length)), Number(at)]))
}

const note = (id: number): void =>
  storage.keep(`${prefix()}${id}`, String(Date.now() + SECOND_THOUGHTS))

export const forget = (id: number): void => storage.forget(`${prefix()}${id}`)

/** Begins a deletion, and calls `finish` when it has not been undone in time. */
export function begin(row: HTMLElement, finish: () => void): void {
  const { id } = knownOf(row)
  row.dataset.deleting = ''
  deletedHere.set(row, setTimeout(finish, SECOND_THOUGHTS))
  if (id !== undefined) note(id)
}

/** Ends the time in which a deletion can be undone; false when it is over already. */
export function decide(row: HTMLElement): boolean {
  const timer = deletedHere.get(row)
  if (timer === undefined) return false
  clearTimeout(timer)
  deletedHere.set(row, undefined)
  return true
}

/** Ends a deletion: it was undone, or the server has answered. */
export function end(row: HTMLElement): void {
  const { id } = knownOf(row)
  clearTimeout(deletedHere.get(row))
  deletedHere.delete(row)
  delete row.dataset.deleting
  if (id !== undefined) forget(id)
}

/** Makes final what could still be undone here, and leaves it to the notes. Gives the todos' ids. */
export function leaveToNotes(): number[] {
  const ids: number[] = []
  for (const row of deletedHere.keys()) {
    const { id } = knownOf(row)
    if (id === undefined || !decide(row)) continue
    deletedHere.delete(row)
    note(id)
    ids.push(id)
  }
  return ids
}

/** The ids of what was deleted on this page. */
export const idsDeletedHere = (): Set<number | undefined> =>
  new Set([...deletedHere.keys()].map((row) => knownOf(row).id))

/**
 * Hides the rows of the list that are being deleted, shows those again of which that was undone on
 * another page, and takes off the counts what the server still counts.
 */
export function showDeletions(): void {
  const notes = noted()
  for (const row of rows()) {
    if (deletedHere.has(row)) continue
    const { id } = knownOf(row)
    if (id !== undefined && notes.has(id)) {
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
  const going = [...deletedHere.keys(), ...elsewhere]
  const done = going.filter(isTicked).length
  return { all: going.length, open: going.length - done, done }
}
