import { performance } from 'node:perf_hooks'

let more = 0

/**
 * Numbers what reached the process together. All that runs because of one answer of the system (epoll_wait(2))
 * finds the same number, all that runs because of a later one a higher number. What is in such an answer was sent
 * before it, but for what comes behind it on the same connection: see `beginArrival`.
 */
export function arrival(): number {
  // libuv raises the first before it asks the system and the second when what came has been handled; neither falls.
  const { loopCount, events } = performance.nodeTiming.uvMetricsInfo
  return loopCount + events + more
}

/** Makes all that runs from here on a later arrival. */
export function beginArrival(): void {
  more += 1
}
