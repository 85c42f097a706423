import * as deletions from './deletions.ts'
import { alarm } from './messages.ts'
import { refill, refresh } from './navigation.ts'
import { erase, tagOf } from './todo.ts'
import { write } from './writes.ts'

// Deletions that another page announced and did not live to finish.

const asked = new Set<number>()
let next: ReturnType<typeof setTimeout> | undefined

/** Finishes the deletions whose time is over, and comes back for the others. */
export function finishLeftovers(): void {
  clearTimeout(next)
  const here = deletions.idsDeletedHere()
  const waits: number[] = []
  for (const [id, note] of deletions.noted()) {
    if (here.has(id) || asked.has(id)) continue
    const wait = deletions.timeLeft(note)
    if (wait > 0) waits.push(wait)
    else finish(id, note.version)
  }
  if (waits.length > 0) next = setTimeout(finishLeftovers, Math.min(...waits))
}

function finish(id: number, version: string): void {
  asked.add(id)
  // While this waits, the page that goes first may undo the deletion, or put it off.
  const isDue = () => {
    const note = deletions.noted().get(id)
    return note?.version === version && deletions.timeLeft(note) === 0
  }
  const end = () => {
    if (isDue()) deletions.forget(id)
    asked.delete(id)
    refresh()
    finishLeftovers()
  }
  write({
    async send() {
      if (isDue()) {
        const tag = await tagOf(id, { updated_at: version, tag: undefined })
        // What was noted before reaches a page that stood still only now.
        if (isDue()) await erase(id, { updated_at: version, tag })
      }
      end()
    },
    refused(refusal) {
      const wasDue = isDue()
      end()
      if (!wasDue || refusal.status === 404) return
      alarm(`A todo was not deleted. ${deletions.reasonOf(refusal)}`)
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
