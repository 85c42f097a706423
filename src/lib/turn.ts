const works = new Set<() => void>()
let isDue = false

function workOff(): void {
  isDue = false
  // Those that are added meanwhile come too.
  for (const work of works) {
    works.delete(work)
    work()
  }
}

process.on('exit', workOff)

/**
 * Calls `work` once, however often it is asked for, at the end of this turn of the event loop or before the process
 * exits. What is done for many requests one after the other takes the processor a fraction of what it takes between
 * all else that each needs, since its code is at hand (docs/benchmarks.md).
 */
export function atEndOfTurn(work: () => void): void {
  works.add(work)
  if (isDue) return
  isDue = true
  setImmediate(workOff)
}
