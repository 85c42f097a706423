import $ from 'jquery'
import { fromThisPage } from '../api.ts'
import * as deletions from './deletions.ts'
import * as field from './field.ts'
import { countRow, hide, remove as removeRow, unhide } from './list.ts'
import { finishLeftovers } from './leftovers.ts'
import { wouldLose } from './leaving.ts'
import { alarm } from './messages.ts'
import { refill, refresh } from './navigation.ts'
import { idOf, letGo, textOf } from './row.ts'
import { rowAt } from './rows.ts'
import { api, erase, get } from './todo.ts'
import { offerUndo, sayUndone, withdrawOffers } from './undo.ts'
import { write } from './writes.ts'

/** How long signing out waits, in milliseconds. */
const PATIENCE = 3_000

/**
 * Deletes a todo: for the eye at once, for good when the person had time to think again, or leaves
 * the page.
 */
export function remove(row: HTMLElement): void {
  if (row.dataset.deleting !== undefined) return
  field.endAlarm(row)
  hide(row)
  countRow(row, -1)
  const withdraw = offerUndo(
    row,
    () => {
      const isHeld = deletions.isHeld(row)
      if (!deletions.endUndo(row)) return
      if (!isHeld) {
        undoLate(row)
        return
      }
      bringBack(row)
      row.focus()
    },
    {
      text: `Deleted: ${textOf(row)}`,
      onExpire: () => finish(row),
      onRenew: () => deletions.renew(row),
    },
  )
  deletions.begin(row, withdraw)
  refill()
}

/** Undoes a deletion that another page may have finished, which only the server knows. */
function undoLate(row: HTMLElement): void {
  deletions.forget(idOf(row))
  write({
    async send() {
      await get(idOf(row))
      bringBack(row)
    },
    refused({ status, message }) {
      deletions.end(row)
      refresh()
      const text = textOf(row)
      if (status === 404) {
        withdrawOffers(row)
        field.replaceByDraft(row, text, `Not undone: ${field.GONE}`)
      } else alarm(`Not undone: ${message} “${text}”`)
    },
  })
}

function bringBack(row: HTMLElement): void {
  restore(row)
  sayUndone(row, `Not deleted: ${textOf(row)}`)
}

function restore(row: HTMLElement): void {
  deletions.end(row)
  unhide(row)
  countRow(row, 1)
  if (row.isConnected) refill()
  else refresh()
}

function finish(row: HTMLElement): void {
  if (!deletions.endUndo(row)) return
  withdrawOffers(row)
  write({
    async send() {
      await erase(idOf(row), deletions.versionOf(row))
      forget(row)
      refill()
    },
    refused(refusal) {
      // Somebody else was quicker, or the answer to our first try was lost.
      if (refusal.status === 404) {
        forget(row)
        return
      }
      restore(row)
      alarm(`Not deleted: ${deletions.reasonOf(refusal)} “${textOf(row)}”`)
      refresh()
    },
  })
}

function forget(row: HTMLElement): void {
  letGo(row)
  deletions.end(row)
  removeRow(row)
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
  addEventListener('storage', ({ key, newValue }) => {
    if (!deletions.isNote(key) || newValue !== null) return
    // Another page finished the deletion, or called it off. The server knows which.
    const row = deletions.rowNotedBy(key)
    if (row) finish(row)
  })
  $('form[action="/logout"]').on('submit', (event) => {
    const { currentTarget } = event
    if (!(currentTarget instanceof HTMLFormElement) || event.isDefaultPrevented()) return
    if (wouldLose()) return
    event.preventDefault()
    // Without the session nothing can be deleted.
    void finishAll().finally(() => currentTarget.submit())
  })
  // Before the next page is asked for, unless the person is asked first whether to go.
  addEventListener('beforeunload', () => {
    if (!wouldLose()) void finishAll()
  })
  // Phones tell of the end only.
  addEventListener('pagehide', () => void finishAll())
}

/**
 * Deletes for good what could still be undone. A page that goes cannot wait for the answers: the
 * browser carries the requests on without it, and should one fail, the next page makes up for it.
 */
async function finishAll(): Promise<void> {
  const requests = [...deletions.leaveToNotes()].map(async ([id, tag]) => {
    const { ok, status } = await fetch(`${api()}/${id}`, {
      method: 'DELETE',
      headers: { ...fromThisPage(), 'If-Match': tag },
      keepalive: true,
      signal: AbortSignal.timeout(PATIENCE),
    })
    if (ok || status === 404) deletions.forget(id)
  })
  // The page may stay after all, or come back.
  finishLeftovers()
  await Promise.allSettled(requests)
}
