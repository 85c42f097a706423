import { post } from './add.ts'
import * as additions from './additions.ts'
import * as changes from './changes.ts'
import * as deletions from './deletions.ts'
import { saveText } from './edit.ts'
import { finishLeftovers } from './leftovers.ts'
import { countRow, insertFirst } from './list.ts'
import { leaveView, refresh } from './navigation.ts'
import { isTicked, knownOf, letGo, newRow, onChange, rowOf, textOf } from './row.ts'
import { rows, visibleRows } from './rows.ts'
import { counting, tick } from './tick.ts'
import { create } from './todo.ts'
import { tryAgain, write } from './writes.ts'

// What another page was adding and changing and did not live to finish. Where that page lives, both add the same
// todo, and this one changes it.

/** Goes on with what is noted, and begins to note what is done here. */
export function resume(): void {
  onChange((row) => {
    additions.note(row)
    changes.note(row)
  })
  const added = additions.allNoted()
  const changed = changes.allNoted()
  for (const addition of added) {
    takeTwin(addition)
    if (addition.deleted) erase(addition)
    else show(addition)
  }
  for (const [name, each] of changed) {
    change(each)
    // It is noted here now. Where the other page lives, it lets go.
    changes.forget(name)
  }
  if (added.length + changed.size > 0) refresh()
  changes.watchTakingOver((row) => {
    counting(row, () => letGo(row))
    tryAgain()
    refresh()
  })
}

/**
 * Takes a row away that says the same: it is that todo, where only the answer was lost. Should it be another
 * one, it is there again when the list is read, once everything is answered.
 */
function takeTwin({ sent, text }: additions.Addition): void {
  const isTwin = (row: HTMLElement) =>
    knownOf(row).id !== undefined &&
    row.dataset.editing === undefined &&
    [sent, text].includes(textOf(row))
  const twin = visibleRows().find(isTwin)
  if (!twin) return
  twin.remove()
  countRow(twin, -1)
}

function show(addition: additions.Addition): void {
  const { sent, text, completed } = addition
  const row = newRow(sent)
  additions.resume(row, addition)
  insertFirst(row)
  countRow(row, 1)
  post(row)
  if (text !== sent) saveText(row, text, [sent])
  if (completed) tick(row, true)
}

/** The server may have it, and names it only to who adds it. */
function erase({ key, sent }: additions.Addition): void {
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

/** Changes a todo as it was left. One that the list does not have is on top until its text is saved. */
function change({ id, text, completed, known, madeOf }: changes.Change): void {
  const there = rows().find((row) => knownOf(row).id === id)
  const row = there ?? rowOf({ id, ...known, updated_at: '' })
  // Of what this page has not read, the server may have more than it confirmed.
  if (text !== undefined && !(there && textOf(row) === text)) {
    if (!there) insertFirst(row)
    saveText(row, text, madeOf)
  }
  if (completed !== undefined && !(there && isTicked(row) === completed)) {
    tick(row, completed)
    leaveView(row)
  }
}
