import $ from 'jquery'
import { copyOf, part } from '../template.ts'
import { Refused } from '../api.ts'
import { resolveConflict } from './conflict.ts'
import { rowAt } from './list.ts'
import { alarm, announce } from './messages.ts'
import { refresh, refreshWhenIdle } from './navigation.ts'
import { idOf, knownOf, learn, settle, textOf, want } from './row.ts'
import { change, get } from './todo.ts'
import { write } from './writes.ts'

/** Opens the text of a row for editing; `draft` is what is in the field when that is something else. */
export function edit(row: HTMLElement, draft?: string): void {
  for (const open of $('#todos > [data-editing]').get()) if (open !== row) save(open)
  if (row.dataset.editing !== undefined) return
  const form = copyOf('edit-template')
  // A text that was changed elsewhere is noticed against the one that the person had before them.
  row.dataset.editing = textOf(row)
  const field = part(form, 'textarea')
  field.removeAttribute('autofocus')
  row.append(form)
  setOpen(row, true)
  $(field).val(draft ?? textOf(row))
  field.focus()
  if (field instanceof HTMLTextAreaElement) field.setSelectionRange(-1, -1)
}

function setOpen(row: HTMLElement, isOpen: boolean): void {
  part(row, '.todo-text').hidden = isOpen
  part(row, '.todo-actions').hidden = isOpen
}

/** Closes the field and leaves the text as it is. */
function cancel(row: HTMLElement): void {
  part(row, '.edit-form').remove()
  delete row.dataset.editing
  setOpen(row, false)
  row.focus()
  // What was put off while the field was open.
  refreshWhenIdle()
}

const typedIn = (row: HTMLElement): string => String($(row).find('textarea').val()).trim()

function save(row: HTMLElement): void {
  const text = typedIn(row)
  const before = row.dataset.editing ?? ''
  if (text === '') {
    $(row).find('textarea').attr('aria-invalid', 'true').trigger('focus')
    part(row, '[data-fault]').hidden = false
    return
  }
  cancel(row)
  if (text !== before) saveText(row, text, before)
}

/** Saves a text that was made of `before`. */
function saveText(row: HTMLElement, text: string, before: string): void {
  want(row, { text })
  announce(`Saved: ${text}`)
  write({
    async send() {
      if (!(await saveOver(row, text, before))) void decide(row, text)
      settle(row, { text })
    },
    refused(refusal) {
      settle(row, { text })
      alarm(`“${text}” was not saved. ${refusal.message}`, {
        label: 'Edit',
        run: () => edit(row, text),
      })
      if (refusal.status === 404) refresh()
    },
  })
}

/** False when the text became another one meanwhile, which is known then. */
async function saveOver(row: HTMLElement, text: string, before: string): Promise<boolean> {
  if (knownOf(row).tag === undefined) await look(row)
  if (knownOf(row).text === text) return true
  if (knownOf(row).text !== before) return false
  try {
    const { todo, tag } = await change(idOf(row), { text }, knownOf(row).tag)
    learn(row, todo, tag)
    return true
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 412) throw error
    // It may only have been ticked, or an earlier try may have come through without its answer.
    await look(row)
    return saveOver(row, text, before)
  }
}

async function look(row: HTMLElement): Promise<void> {
  const { todo, tag } = await get(idOf(row))
  learn(row, todo, tag)
}

/** Lets the person choose between two texts. */
async function decide(row: HTMLElement, mine: string): Promise<void> {
  const theirs = knownOf(row).text
  const choice = await resolveConflict({ theirs, mine })
  if (choice === 'mine') saveText(row, mine, theirs)
  else if (choice === 'edit') edit(row, mine)
  else row.focus()
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
