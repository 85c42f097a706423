/** So many milliseconds after the first work was put off it is done, though the turn goes on. */
const LONG = 20

const works = new Set<() => void>()
let isDue = false
let since = 0

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
  since = performance.now()
  setImmediate(workOff)
}

/**
 * Gathers what comes during a turn: gives how to add to it. `work` gets all of it at the turn's end, as by `atEndOfTurn`.
 */
export function gathered<Item>(work: (items: readonly Item[]) => void): (item: Item) => void {
  let items: Item[] = []
  const workOff = () => {
    const these = items
    items = []
    work(these)
  }
  return (item) => {
    items.push(item)
    atEndOfTurn(workOff)
  }
}

/**
 * To be called for each request that comes. While there always are more than a thousand sockets to read from, libuv
 * goes on with that up to 48 times before it ends the turn (`uv__io_poll`), which is seconds for what was put off.
 */
export function endLongTurn(): void {
  if (isDue && performance.now() - since > LONG) process.nextTick(workOff)
}
