import * as deletions from './deletions.ts'
import { count, isOutOfView, presentRow, unhide } from './list.ts'
import { alarm, announce } from './messages.ts'
import { leaveView, refresh, undoing } from './navigation.ts'
import { idOf, isTicked, learn, settle, textOf, want, wantsTick } from './row.ts'
import { rowAt } from './rows.ts'
import { change } from './todo.ts'
import { offerUndo, sayUndone } from './undo.ts'
import { write } from './writes.ts'

/** How long a todo that no longer belongs in the view can be seen there, in milliseconds. */
const LINGERS = 500

const outcome = (row: HTMLElement): string =>
  `${isTicked(row) ? 'Done' : 'Open again'}: ${textOf(row)}`

/** Ticks a todo off, or opens it again. */
export function toggle(row: HTMLElement): void {
  const before = isTicked(row)
  tick(row, !before)
  const takeBack = undoing(row, (row) => tick(row, before))
  const undo = () => {
    takeBack()
    sayUndone(row, outcome(presentRow(row)))
  }
  if (!isOutOfView(row)) {
    offerUndo(row, undo)
    return
  }
  // The tick is seen before the row goes.
  offerUndo(row, undo, { text: outcome(row) })
  setTimeout(() => leaveView(row), LINGERS)
}

/** Shows it at once, and takes it back when it is refused. */
export function tick(row: HTMLElement, completed: boolean): void {
  const text = textOf(row)
  counting(row, () => want(row, { completed }))
  announce(outcome(row))
  write({
    async send() {
      // An earlier write has confirmed it, or another page makes it.
      if (!wantsTick(row)) return
      const { todo, tag } = await change(idOf(row), { completed })
      learn(row, todo, tag)
      // Beside another text it is not this page alone that changed the todo.
      if (todo.text === text) deletions.follow(row)
      settle(row, { completed })
    },
    refused(refusal) {
      counting(row, () => settle(row, { completed }))
      unhide(row)
      alarm(`Not changed: ${refusal.message} “${textOf(row)}”`)
      refresh()
    },
  })
}

/** Does something that may tick the row, and counts it. */
export function counting(row: HTMLElement, work: () => void): void {
  const before = isTicked(row)
  work()
  const after = isTicked(row)
  if (before !== after) count(after ? { open: -1, done: 1 } : { open: 1, done: -1 })
}

export function watchTicking(list: HTMLElement): void {
  list.addEventListener('submit', (event) => {
    const { target } = event
    const row = rowAt(target)
    if (!row || !(target instanceof Element) || !target.matches('.tick-form')) return
    event.preventDefault()
    toggle(row)
  })
}
