import type { Counts } from '../../src/features/todos/links.ts'
import type { Refused } from '../api.ts'
import { person } from '../page-data.ts'
import * as storage from '../storage.ts'
import { count, hide, unhide } from './list.ts'
import { holdsText, isTicked, knownOf, markDeleting } from './row.ts'
import { rows } from './rows.ts'
import { tagOf, type Version } from './todo.ts'
import { SECOND_THOUGHTS } from './undo.ts'

// What is deleted for the eye, and not yet by the server. Each such todo that the server knows is noted in
// the browser's storage too: a page may end before it can ask for the deletion, and the next one makes up
// for it.

/** How long, in milliseconds, the page on which a deletion can be undone goes first. */
const PRECEDENCE = 2_000
/** What is further away, in milliseconds, was noted by a clock that was wrong. */
const FURTHEST = 60_000

interface Deletion {
  /** What was deleted: the todo as it was then, and what this page made of it since. */
  version: Version
  /** Takes the offer to undo it away; undefined when the time for that is over. */
  withdraw: (() => void) | undefined
}

/** Rows that were deleted on this page. */
const deletedHere = new Map<HTMLElement, Deletion>()

const prefix = (): string => `deleted/${person()}/`

/** Whether a key of the storage is that of a note on a deletion. */
export const isNote = (key: string | null): key is string => key?.startsWith(prefix()) === true

const idIn = (key: string): number => Number(key.slice(prefix().length))

interface Note {
  /** When the deletion is final, by the browser's clock. */
  readonly finalAt: number
  /** The `updated_at` of what was deleted. */
  readonly version: string
}

const rowDeletedHere = (id: number | undefined): HTMLElement | undefined =>
  [...deletedHere.keys()].find((row) => knownOf(row).id === id)

/** The row that was deleted on this page, by the key of the note on that. */
export const rowNotedBy = (key: string): HTMLElement | undefined => rowDeletedHere(idIn(key))

/** What this person deleted, here or on another page, by its id. */
export function noted(): Map<number, Note> {
  const notes = [...storage.kept()].filter(([key]) => isNote(key))
  return new Map(
    notes.map(([key, value]) => {
      const [finalAt, version = ''] = value.split(' ')
      return [idIn(key), { finalAt: Number(finalAt), version }]
    }),
  )
}

/** How long, in milliseconds, other pages leave a deletion to the one on which it can be undone. */
export function timeLeft({ finalAt }: Note): number {
  const left = finalAt + PRECEDENCE - Date.now()
  return left > 0 && left <= FURTHEST ? left : 0
}

/** Whether no other page can have begun to finish a deletion. False on a page that stood still for long. */
export function isHeld(row: HTMLElement): boolean {
  const { id } = knownOf(row)
  const note = id === undefined ? undefined : noted().get(id)
  return id === undefined || (note !== undefined && timeLeft(note) > 0)
}

/** Notes the deletion of a row, where the server knows the todo. */
function note(row: HTMLElement, { version }: Deletion): void {
  const { id } = knownOf(row)
  if (id !== undefined) noteVersion(id, version)
}

/** Notes a deletion, for whichever page is there when it is final. */
export const noteVersion = (id: number, { updated_at }: Pick<Version, 'updated_at'>): void =>
  storage.keep(`${prefix()}${id}`, `${Date.now() + SECOND_THOUGHTS} ${updated_at}`)

/**
 * Notes what this page made of a row's todo: where it was deleted here, that is what goes; where it was
 * deleted on another page before, it stays.
 */
export function follow(row: HTMLElement): void {
  const known = knownOf(row)
  // The row may be another one by now.
  const deletedRow = rowDeletedHere(known.id)
  const deletion = deletedRow && deletedHere.get(deletedRow)
  if (deletion) {
    deletion.version = known
    note(deletedRow, deletion)
  } else if (known.id !== undefined) forget(known.id)
}

/** The version of a row's todo that was deleted. */
export const versionOf = (row: HTMLElement): Version =>
  deletedHere.get(row)?.version ?? knownOf(row)

/** Why something was not deleted, for the end of a sentence. */
export const reasonOf = ({ status, message }: Refused): string =>
  status === 412 ? 'It was changed somewhere else.' : message

export const forget = (id: number): void => storage.forget(`${prefix()}${id}`)

/** Begins a deletion, which can be undone as long as that is offered. */
export function begin(row: HTMLElement, withdraw: () => void): void {
  const deletion = { version: knownOf(row), withdraw }
  deletedHere.set(row, deletion)
  note(row, deletion)
  markDeleting(row, true)
  void learnTag(row, deletion)
}

/** Asks for the tag of what was deleted: a page that is left has no time to. */
async function learnTag(row: HTMLElement, deletion: Deletion): Promise<void> {
  const { version } = deletion
  const { id } = knownOf(row)
  if (id === undefined) return
  try {
    const tag = await tagOf(id, version)
    if (deletion.version === version) deletion.version = { ...version, tag }
  } catch {
    // The deletion itself asks once more, and says what is the matter.
  }
}

/** Notes that the time in which a deletion can be undone begins anew. */
export function renew(row: HTMLElement): void {
  const deletion = deletedHere.get(row)
  if (deletion?.withdraw && isHeld(row)) note(row, deletion)
}

/** Ends the time in which a deletion can be undone, and the offer; false when it is over already. */
export function endUndo(row: HTMLElement): boolean {
  const deletion = deletedHere.get(row)
  if (!deletion?.withdraw) return false
  const { withdraw } = deletion
  deletion.withdraw = undefined
  withdraw()
  return true
}

/** Ends a deletion: it was undone, or the server has answered. */
export function end(row: HTMLElement): void {
  const { id } = knownOf(row)
  deletedHere.delete(row)
  markDeleting(row, false)
  if (id !== undefined) forget(id)
}

/**
 * Makes final what could still be undone here, and leaves it to the notes. Gives the todos that can be
 * deleted at once, by their ids with their tags.
 */
export function leaveToNotes(): Map<number, string> {
  const tags = new Map<number, string>()
  for (const [row, deletion] of deletedHere) {
    const { id } = knownOf(row)
    if (id === undefined || !endUndo(row)) continue
    note(row, deletion)
    deletedHere.delete(row)
    const { tag } = deletion.version
    if (tag !== undefined) tags.set(id, tag)
  }
  return tags
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
