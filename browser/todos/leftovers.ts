import * as deletions from './deletions.ts'
import { alarm } from './messages.ts'
import { refill, refresh } from './navigation.ts'
import { erase } from './todo.ts'
import { write } from './writes.ts'

// Deletions that another page announced and did not live to finish.

/** How long, in milliseconds, the page on which a deletion can be undone goes first. */
const PRECEDENCE = 2_000
/** What is further away, in milliseconds, was noted by a clock that was wrong. */
const FURTHEST = 60_000

const asked = new Set<number>()
let next: ReturnType<typeof setTimeout> | undefined

/** Finishes the deletions whose time is over, and comes back for the others. */
export function finishLeftovers(): void {
  clearTimeout(next)
  const here = deletions.idsDeletedHere()
  const waits: number[] = []
  for (const [id, { finalAt, version }] of deletions.noted()) {
    if (here.has(id) || asked.has(id)) continue
    const wait = finalAt + PRECEDENCE - Date.now()
    if (wait > 0 && wait <= FURTHEST) waits.push(wait)
    else finish(id, version)
  }
  if (waits.length > 0) next = setTimeout(finishLeftovers, Math.min(...waits))
}

function finish(id: number, version: string): void {
  asked.add(id)
  const end = () => {
    asked.delete(id)
    deletions.forget(id)
    refresh()
  }
  write({
    async send() {
      await erase(id, { updated_at: version, tag: undefined })
      end()
    },
    refused(refusal) {
      end()
      if (refusal.status !== 404) alarm(`A todo was not deleted. ${deletions.reasonOf(refusal)}`)
    },
  })
}

export function watchLeftovers(): void {
  deletions.showDeletions()
  if (deletions.noted().size > 0) refill()
  finishLeftovers()
  addEventListener('storage', ({ key, oldValue, newValue }) => {
    if (!deletions.isNote(key)) return
    // A note that changed has another time only.
    if (oldValue === null || newValue === null) refresh()
    finishLeftovers()
  })
}
