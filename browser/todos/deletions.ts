import type { Counts } from '../../src/features/todos/links.ts'
import { isTicked } from './row.ts'

/** Rows whose deletion can still be undone, each with the timer that makes it final. */
const deletions = new Map<HTMLElement, ReturnType<typeof setTimeout>>()

export function begin(row: HTMLElement, finish: () => void, delay: number): void {
  row.dataset.deleting = ''
  deletions.set(row, setTimeout(finish, delay))
}

/** Takes a row out; false when its deletion is final already, or was called off. */
export function end(row: HTMLElement): boolean {
  clearTimeout(deletions.get(row))
  return deletions.delete(row)
}

export const pending = (): HTMLElement[] => [...deletions.keys()]

/** How many todos the server still counts and the page does not. */
export function beingDeleted(): Counts {
  const rows = pending()
  const done = rows.filter(isTicked).length
  return { all: rows.length, open: rows.length - done, done }
}
