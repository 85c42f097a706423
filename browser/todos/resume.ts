import { post } from './add.ts'
import * as additions from './additions.ts'
import * as deletions from './deletions.ts'
import { saveText } from './edit.ts'
import { finishLeftovers } from './leftovers.ts'
import { countRow, insertFirst, visibleRows } from './list.ts'
import { refresh } from './navigation.ts'
import { knownOf, newRow, onChange, textOf } from './row.ts'
import { tick } from './tick.ts'
import { create } from './todo.ts'
import { write } from './writes.ts'

// What another page was adding and did not live to finish. Where that page lives, both ask for the same.

type Note = ReturnType<typeof additions.noted>[number]

/** Goes on with what is noted, and begins to note what is added here. */
export function resumeAdditions(): void {
  onChange(additions.note)
  const notes = additions.noted()
  for (const note of notes) {
    takeTwin(note)
    if (note.deleted) erase(note)
    else show(note)
  }
  if (notes.length > 0) refresh()
}

/**
 * Takes a row away that says the same: it is that todo, where only the answer was lost. Should it be another
 * one, it is there again when the list is read, once everything is answered.
 */
function takeTwin({ sent, text }: Note): void {
  const isTwin = (row: HTMLElement) =>
    knownOf(row).id !== undefined &&
    row.dataset.editing === undefined &&
    [sent, text].includes(textOf(row))
  const twin = visibleRows().find(isTwin)
  if (!twin) return
  twin.remove()
  countRow(twin, -1)
}

function show(note: Note): void {
  const { sent, text, completed } = note
  const row = newRow(sent)
  additions.resume(row, note)
  insertFirst(row)
  countRow(row, 1)
  post(row)
  if (text !== sent) saveText(row, text, sent)
  if (completed) tick(row, true)
}

/** The server may have it, and names it only to who adds it. */
function erase({ key, sent }: Note): void {
  write({
    async send() {
      const { todo } = await create(sent, key)
      deletions.noteVersion(todo.id, todo)
      additions.forget(key)
      finishLeftovers()
    },
    refused: () => additions.forget(key),
  })
}
