import { presentRow } from './list.ts'
import { announce, type Message, type Shown, show } from './messages.ts'

/** How long a message offers to undo something, in milliseconds, and a deletion can be undone. */
export const SECOND_THOUGHTS = 8_000

interface Undoable {
  readonly row: HTMLElement
  readonly undo: () => void
  readonly message: Shown | undefined
  /** Whether what was done still stands. */
  readonly stands: () => boolean
}

interface Options extends Pick<Message, 'onExpire' | 'onRenew'> {
  /** What is said of it; nothing where the page shows it. */
  readonly text?: string
  readonly stands?: () => boolean
}

/** What can be undone, the newest last. */
const offers: Undoable[] = []

function forget(offer: Undoable): void {
  const index = offers.indexOf(offer)
  if (index >= 0) offers.splice(index, 1)
}

/**
 * Lets what was done to a row be undone by its key, once nothing newer can be, and says so where the page
 * does not show it. What it gives withdraws the offer.
 */
export function offerUndo(
  row: HTMLElement,
  undo: () => void,
  { text, stands = () => true, ...options }: Options = {},
): () => void {
  const run = () => {
    forget(offered)
    undo()
  }
  const action = { label: 'Undo', run }
  const message =
    text === undefined ? undefined : show({ ...options, text, lifetime: SECOND_THOUGHTS, action })
  const offered: Undoable = { row, undo: run, message, stands }
  offers.push(offered)
  return () => withdraw(offered)
}

function withdraw(offer: Undoable): void {
  forget(offer)
  offer.message?.close()
}

/** Takes all offers for a row away. */
export function withdrawOffers(row: HTMLElement): void {
  for (const offer of offers.filter((each) => each.row === row)) withdraw(offer)
}

/** Undoes the newest thing that still stands; false when there is none. */
export function undoLast(): boolean {
  let undoable = offers.at(-1)
  while (undoable?.stands() === false) {
    withdraw(undoable)
    undoable = offers.at(-1)
  }
  undoable?.message?.close()
  undoable?.undo()
  return undoable !== undefined
}

/** Says what undoing made of a row: to all where the page does not show it. */
export function sayUndone(row: HTMLElement, text: string): void {
  if (presentRow(row).isConnected) announce(text)
  else show({ text, lifetime: SECOND_THOUGHTS })
}
