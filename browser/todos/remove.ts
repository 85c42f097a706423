import { call } from '../api.ts'
import * as deletions from './deletions.ts'
import { count, hide, remove as removeRow, rowAt, unhide } from './list.ts'
import { alarm, announce } from './messages.ts'
import { refill, refresh } from './navigation.ts'
import { idOf, isTicked, knownOf, textOf } from './row.ts'
import { api } from './todo.ts'
import { offerUndo } from './undo.ts'
import { write } from './writes.ts'

/** How long a deletion can be undone, in milliseconds. */
const SECOND_THOUGHTS = 8_000

const counted = (row: HTMLElement, by: 1 | -1): void =>
  count({ all: by, ...(isTicked(row) ? { done: by } : { open: by }) })

/**
 * Deletes a todo: for the eye at once, for good when the person had time to think again, or leaves
 * the page.
 */
export function remove(row: HTMLElement): void {
  if (row.dataset.deleting !== undefined) return
  hide(row)
  counted(row, -1)
  deletions.begin(row, () => finish(row), SECOND_THOUGHTS)
  offerUndo(
    () => {
      if (!deletions.end(row)) return
      restore(row)
      announce(`Not deleted: ${textOf(row)}`)
      row.focus()
    },
    `Deleted: ${textOf(row)}`,
  )
}

function restore(row: HTMLElement): void {
  delete row.dataset.deleting
  unhide(row)
  counted(row, 1)
  if (!row.isConnected) refresh()
}

function finish(row: HTMLElement): void {
  if (!deletions.end(row)) return
  write({
    async send() {
      await call({ method: 'DELETE', url: `${api()}/${idOf(row)}` })
      removeRow(row)
      refill()
    },
    refused(refusal) {
      // Somebody else was quicker, or the answer to our first try was lost.
      if (refusal.status === 404) {
        removeRow(row)
        return
      }
      restore(row)
      alarm(`“${textOf(row)}” was not deleted. ${refusal.message}`)
    },
  })
}

export function watchRemoving(list: HTMLElement): void {
  list.addEventListener('submit', (event) => {
    const { target } = event
    const row = rowAt(target)
    if (!row || !(target instanceof Element) || !target.querySelector('[data-action=delete]'))
      return
    event.preventDefault()
    remove(row)
  })
  // A page that goes cannot wait for an answer; the browser carries the request on without it.
  addEventListener('pagehide', () => {
    for (const row of deletions.pending()) {
      if (!deletions.end(row) || knownOf(row).id === undefined) continue
      void fetch(`${api()}/${idOf(row)}`, { method: 'DELETE', keepalive: true })
    }
  })
}
