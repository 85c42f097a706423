import $ from 'jquery'
import { Refused } from '../api.ts'
import { isComposing } from '../composing.ts'
import { post } from './add.ts'
import { resolveConflict } from './conflict.ts'
import * as deletions from './deletions.ts'
import * as field from './field.ts'
import { announce, warn } from './messages.ts'
import { leadsElsewhere, leaveView, refresh, undoing } from './navigation.ts'
import { remove } from './remove.ts'
import { idOf, isDraft, knownOf, learn, settle, textOf, want, wantsText } from './row.ts'
import { focusedRow, rowAt } from './rows.ts'
import { change, look } from './todo.ts'
import { offerUndo } from './undo.ts'
import { write } from './writes.ts'

/** Opens the text of a row for editing, and saves what is typed in another one. */
export function edit(row: HTMLElement): void {
  for (const open of $('#todos > [data-editing]:not([hidden])').get()) {
    if (open !== row && !field.hasFault(open)) save(open)
  }
  field.open(row)
  field.focus(row)
}

/** Closes the field and leaves the text as it is. One that is nowhere else is deleted, with Undo. */
function cancel(row: HTMLElement): void {
  if (isDraft(row)) {
    remove(row)
    return
  }
  field.close(row)
  row.focus()
  leaveView(row)
}

function save(row: HTMLElement): void {
  const text = field.draftIn(row)
  const before = row.dataset.editing ?? ''
  if (text === '') {
    const fault = 'The text must have at least 1 character.'
    field.sayFault(row, fault)
    field.focus(row)
    warn(fault)
    return
  }
  field.close(row)
  row.focus()
  if (isDraft(row)) {
    want(row, { text })
    post(row)
  } else if (text === before) leaveView(row)
  else {
    saveText(row, text, [before])
    offerToUndo(row, text, before)
  }
}

function offerToUndo(row: HTMLElement, text: string, before: string): void {
  const undo = undoing(row, (row) => saveText(row, before, [text]))
  // What the server refused is in the field, and what became another text is not this one.
  const stands = () => {
    const { editing, deleting } = row.dataset
    return editing === undefined && deleting === undefined && textOf(row) === text
  }
  offerUndo(row, undo, { stands })
}

/** Saves a text over one of those that it was made of. */
export function saveText(row: HTMLElement, text: string, madeOf: readonly string[]): void {
  want(row, { text }, madeOf)
  announce(`Saved: ${text}`)
  write({
    async send() {
      // An earlier write has confirmed it, or another page saves it.
      if (!wantsText(row)) return
      await saveOver(row, text, madeOf)
      settle(row, { text })
      deletions.follow(row)
      leaveView(row)
    },
    refused(refusal) {
      if (refusal.status === 412) {
        // Another text was saved since, which asks for itself.
        if (textOf(row) === text) void askWhich(row, text)
      } else if (refusal.status === 404) replaceLost(row)
      else {
        settle(row, { text })
        if (!wantsText(row)) field.giveBack(row, text, `Not saved: ${refusal.message}`)
      }
    },
  })
}

/** Keeps the text of a todo that is gone. */
function replaceLost(row: HTMLElement): void {
  const isReplaced = knownOf(row).id === undefined || !row.isConnected
  if (isReplaced || row.dataset.deleting !== undefined) return
  const text = row.dataset.editing === undefined ? textOf(row) : field.draftIn(row)
  // It is the new one's now.
  settle(row, { text: textOf(row) })
  const hadFocus = focusedRow() === row
  const draft = field.replaceByDraft(row, text, `Not saved: ${field.GONE}`)
  if (hadFocus) field.focus(draft)
  refresh()
}

/** Throws a 412 when the text became another one meanwhile, which is known then. */
async function saveOver(row: HTMLElement, text: string, madeOf: readonly string[]): Promise<void> {
  if (knownOf(row).tag === undefined) await look(row)
  if (knownOf(row).text === text) return
  if (!madeOf.includes(knownOf(row).text))
    throw new Refused(412, 'The text was changed somewhere else.')
  try {
    const { todo, tag } = await change(idOf(row), { text }, knownOf(row).tag)
    learn(row, todo, tag)
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 412) throw error
    // It may only have been ticked, or an earlier try may have come through without its answer.
    await look(row)
    await saveOver(row, text, madeOf)
  }
}

/** Lets the person choose between two texts. Until then the text is still wanted, so the row stays. */
async function askWhich(row: HTMLElement, mine: string): Promise<void> {
  const theirs = knownOf(row).text
  const choice = await resolveConflict({ theirs, mine })
  if (choice === 'mine') {
    saveText(row, mine, [theirs])
    return
  }
  settle(row, { text: mine })
  if (choice === 'edit') {
    field.open(row, mine)
    field.focus(row)
  } else {
    row.focus()
    leaveView(row)
  }
}

export function watchEditing(list: HTMLElement): void {
  $(list)
    .on('click', '[data-action=edit]', (event) => {
      if (leadsElsewhere(event)) return
      const row = rowAt(event.currentTarget)
      if (!row) return
      event.preventDefault()
      edit(row)
    })
    .on('dblclick', '.todo-text', (event) => {
      const row = rowAt(event.currentTarget)
      if (row) edit(row)
    })
    .on('click', '[data-action=cancel]', (event) => {
      const row = rowAt(event.currentTarget)
      if (!row) return
      event.preventDefault()
      cancel(row)
    })
    .on('submit', '.edit-form', (event) => {
      const row = rowAt(event.currentTarget)
      if (!row) return
      event.preventDefault()
      save(row)
    })
    .on('keydown', '.edit-form textarea', (event) => {
      const row = rowAt(event.currentTarget)
      // While letters are composed, Enter and Escape are for that.
      if (!row || isComposing(event.originalEvent)) return
      if (event.key === 'Escape') cancel(row)
      else if (event.key === 'Enter' && !event.shiftKey) save(row)
      else return
      event.preventDefault()
    })
}
