import $ from 'jquery'
import { call, uniqueKey } from '../api.ts'
import { count, currentView, insertFirst, remove } from './list.ts'
import { alarm, announce } from './messages.ts'
import { goTo } from './navigation.ts'
import { learn, newRow } from './row.ts'
import { api, todoIn } from './todo.ts'
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
  count({ all: 1, open: 1 })
  announce(`Added: ${text}`)
  // The same key at every try: an answer that was lost on the way adds nothing twice.
  const headers = { 'Idempotency-Key': uniqueKey() }
  write({
    async send() {
      const answer = await call({ method: 'POST', url: api(), body: { text }, headers })
      learn(row, todoIn(answer), answer.tag ?? undefined)
    },
    refused(refusal) {
      remove(row)
      count({ all: -1, open: -1 })
      alarm(`“${text}” was not added. ${refusal.message}`, {
        label: 'Edit',
        run: () => $('#new-text').val(text).trigger('focus'),
      })
    },
  })
}

export function watchAdding(): void {
  $('#add-form').on('submit', (event) => {
    event.preventDefault()
    const field = $('#new-text')
    const text = String(field.val()).trim()
    field.val('').removeAttr('aria-invalid').trigger('focus')
    $('#new-text-fault').empty()
    if (text) add(text)
  })
}
