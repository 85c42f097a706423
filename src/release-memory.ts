import { setTimeout as delay } from 'node:timers/promises'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** In milliseconds. */
const LOOK_EVERY = 10_000
/** No more than this between two looks is rest: what looks after the service asks now and then. */
const REQUESTS_AT_REST = 50
/**
 * So many looks in a row must find rest. What V8 learnt about the code goes too, so the first pages after
 * a rest take some milliseconds longer (docs/benchmarks.md); that is not to happen again and again.
 */
const LOOKS_AT_REST = 3
/** Less than this is not worth the collection, which takes some 40 ms; in bytes. */
const WORTH_COLLECTING = 8 * 1024 ** 2

const heapSize = () => getHeapStatistics().total_physical_size

/** Node's `gc`, which a context has that is made after this flag is set. */
function exposedGc(): NonNullable<typeof globalThis.gc> {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}

/**
 * Collects all garbage when the service has had much to do and then rests for half a minute,
 * until `signal` aborts. V8 by itself mostly collects to make room, so a process at rest would keep what it
 * had when it was busiest, some 40 MiB. `requests` says how many came so far.
 */
export async function releaseMemoryAtRest(
  requests: () => number,
  signal: AbortSignal,
): Promise<void> {
  const gc = exposedGc()
  // The start leaves garbage too.
  let rested = 0
  let seen = requests()
  let looks = 0
  for (;;) {
    // Aborting the wait is how this ends, not a failure of it.
    await delay(LOOK_EVERY, undefined, { signal, ref: false }).catch(() => {})
    if (signal.aborted) return
    looks = requests() - seen <= REQUESTS_AT_REST ? looks + 1 : 0
    seen = requests()
    if (looks < LOOKS_AT_REST || heapSize() < rested + WORTH_COLLECTING) continue
    // The usual kind keeps the room for young objects as large as it ever was.
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    rested = heapSize()
  }
}
