import { type Message, type Shown, show } from './messages.ts'

/** How long a message offers to undo something, in milliseconds, and a deletion can be undone. */
export const SECOND_THOUGHTS = 8_000

interface Undoable {
  readonly undo: () => void
  readonly message: Shown | undefined
}
let last: Undoable | undefined

/**
 * Lets the last thing be undone by its key, and says so where the page does not show it. What it gives
 * withdraws the offer.
 */
export function offerUndo(
  undo: () => void,
  said?: Pick<Message, 'text' | 'onExpire' | 'onRenew'>,
): () => void {
  const forget = () => {
    if (last === offered) last = undefined
  }
  const run = () => {
    forget()
    undo()
  }
  const message =
    said && show({ ...said, lifetime: SECOND_THOUGHTS, action: { label: 'Undo', run } })
  const offered: Undoable = { undo: run, message }
  last = offered
  return () => {
    forget()
    message?.close()
  }
}

/** Undoes the last thing; false when there is none. */
export function undoLast(): boolean {
  const undoable = last
  undoable?.message?.close()
  undoable?.undo()
  return undoable !== undefined
}
