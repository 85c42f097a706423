import $ from 'jquery'
import { Refused } from '../api.ts'
import { resolveConflict } from './conflict.ts'
import * as field from './field.ts'
import { leaveView, rowAt } from './list.ts'
import { alarm, announce } from './messages.ts'
import { refill, refresh } from './navigation.ts'
import { idOf, knownOf, learn, settle, want } from './row.ts'
import { change, get } from './todo.ts'
import { write } from './writes.ts'

/** Opens the text of a row for editing, and saves what is typed in another one. */
export function edit(row: HTMLElement): void {
  for (const open of $('#todos > [data-editing]').get()) if (open !== row) save(open)
  field.open(row)
  field.focus(row)
}

/** Closes the field and leaves the text as it is. */
function cancel(row: HTMLElement): void {
  field.close(row)
  row.focus()
  leave(row)
}

/** Lets a row go that was only on the page as long as its text was not saved. */
function leave(row: HTMLElement): void {
  if (leaveView(row)) refill()
}

function save(row: HTMLElement): void {
  const text = field.draftIn(row)
  const before = row.dataset.editing ?? ''
  if (text === '') {
    field.sayFault(row, 'The text must have at least 1 character.')
    field.focus(row)
  } else if (text === before) {
    cancel(row)
  } else {
    field.close(row)
    row.focus()
    saveText(row, text, before)
  }
}

/** Saves a text that was made of `before`. */
function saveText(row: HTMLElement, text: string, before: string): void {
  want(row, { text })
  announce(`Saved: ${text}`)
  write({
    async send() {
      await saveOver(row, text, before)
      settle(row, { text })
      leave(row)
    },
    refused(refusal) {
      if (refusal.status === 412) {
        void decide(row, text)
        return
      }
      settle(row, { text })
      alarm(`“${text}” was not saved. ${refusal.message}`, {
        label: 'Edit',
        run: () => edit(row),
      })
      if (refusal.status === 404) refresh()
    },
  })
}

/** Throws a 412 when the text became another one meanwhile, which is known then. */
async function saveOver(row: HTMLElement, text: string, before: string): Promise<void> {
  if (knownOf(row).tag === undefined) await look(row)
  if (knownOf(row).text === text) return
  if (knownOf(row).text !== before) throw new Refused(412, 'The text was changed somewhere else.')
  try {
    const { todo, tag } = await change(idOf(row), { text }, knownOf(row).tag)
    learn(row, todo, tag)
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 412) throw error
    // It may only have been ticked, or an earlier try may have come through without its answer.
    await look(row)
    await saveOver(row, text, before)
  }
}

async function look(row: HTMLElement): Promise<void> {
  const { todo, tag } = await get(idOf(row))
  learn(row, todo, tag)
}

/** Lets the person choose between two texts. Until then the text is still wanted, so the row stays. */
async function decide(row: HTMLElement, mine: string): Promise<void> {
  const theirs = knownOf(row).text
  const choice = await resolveConflict({ theirs, mine })
  if (choice === 'mine') {
    saveText(row, mine, theirs)
    return
  }
  settle(row, { text: mine })
  if (choice === 'edit') {
    field.open(row, mine)
    field.focus(row)
  } else {
    row.focus()
    leave(row)
  }
}

export function watchEditing(list: HTMLElement): void {
  $(list)
    .on('click', '[data-action=edit]', (event) => {
      if (event.ctrlKey || event.metaKey) return
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
      if (!row || event.originalEvent?.isComposing) return
      if (event.key === 'Escape') cancel(row)
      else if (event.key === 'Enter' && !event.shiftKey) save(row)
      else return
      event.preventDefault()
    })
}
