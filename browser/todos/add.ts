import $ from 'jquery'
import * as additions from './additions.ts'
import * as deletions from './deletions.ts'
import * as field from './field.ts'
import { countRow, currentView, insertFirst, isOutOfView } from './list.ts'
import { announce } from './messages.ts'
import { goTo, refresh } from './navigation.ts'
import { learn, newRow, settle, textOf } from './row.ts'
import { create } from './todo.ts'
import { write } from './writes.ts'

/** Adds a todo, which is there at once and written as soon as the server answers. */
export function add(text: string): void {
  // The new one must be seen: at the top of the first page, among the open ones.
  const { show, q, page } = currentView()
  if (q || page > 1 || show === 'done') {
    $('#search').val('')
    void goTo({ show: show === 'done' ? 'all' : show, q: '', page: 1 }, 'push')
  }
  const row = newRow(text)
  insertFirst(row)
  countRow(row, 1)
  post(row)
}

/** Has the server add the todo of a row. One that it refuses is there to be edited. */
export function post(row: HTMLElement): void {
  const text = textOf(row)
  row.dataset.saving = ''
  announce(`Added: ${text}`)
  const key = additions.begin(row, text)
  write({
    async send() {
      const { todo, tag } = await create(text, key)
      learn(row, todo, tag)
      settle(row, { text })
      deletions.follow(row)
      // One that was refused before may stand in a view to which it does not belong.
      if (isOutOfView(row)) refresh()
    },
    refused(refusal) {
      delete row.dataset.saving
      additions.note(row)
      field.giveBack(row, textOf(row), `Not added: ${refusal.message}`)
    },
  })
}

export function watchAdding(): void {
  $('#add-form').on('submit', (event) => {
    event.preventDefault()
    const input = $('#new-text')
    const text = String(input.val()).trim()
    input.val('').removeAttr('aria-invalid').trigger('input').trigger('focus')
    $('#new-text-fault').empty()
    if (text) add(text)
  })
}
