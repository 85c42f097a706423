import { setInterval } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'

/**
 * What the C library is to do with memory (glibc manual, "Memory Allocation Tunables"), which it reads
 * as a process starts: keep one store instead of one for each thread, and give the 19 MiB of a password's
 * hash back at once. Fetching them anew takes as long as ever on huge pages.
 */
export const MEMORY_VARIABLES = {
  GLIBC_TUNABLES: [
    'glibc.malloc.arena_max=1',
    `glibc.malloc.mmap_threshold=${4 * 1024 ** 2}`,
    'glibc.malloc.hugetlb=1',
  ].join(':'),
}

/** In milliseconds. */
const LOOK_EVERY = 2000
/** No more than this between two looks is rest: what looks after the service asks now and then. */
const REQUESTS_AT_REST = 10
/** Less than this is not worth the collection, which takes some 50 ms; in bytes. */
const WORTH_COLLECTING = 8 * 1024 ** 2

const heapSize = () => getHeapStatistics().total_physical_size

/**
 * Collects all garbage when the service has had much to do and then rests for some seconds, until
 * `signal` aborts. V8 by itself collects only to make room, so a process at rest would keep what
 * it had when it was busiest. `requests` says how many came so far. Needs `--expose-gc`, and without
 * it leaves all to V8.
 */
export async function releaseMemoryAtRest(
  requests: () => number,
  signal: AbortSignal,
): Promise<void> {
  const { gc } = globalThis
  if (!gc) return
  // The start leaves garbage too.
  let rested = 0
  let seen = requests()
  try {
    for await (const _ of setInterval(LOOK_EVERY, undefined, { signal, ref: false })) {
      const isAtRest = requests() - seen <= REQUESTS_AT_REST
      seen = requests()
      if (!isAtRest || heapSize() < rested + WORTH_COLLECTING) continue
      // The usual kind keeps the room for young objects as large as it ever was.
      gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      rested = heapSize()
    }
  } catch (error) {
    // How the interval says that it was stopped.
    if (!signal.aborted) throw error
  }
}
