import { readdirSync, readFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

const THREADS = '/proc/self/task'

/**
 * Has the threads of libuv's pool, which hash passwords, leave the processor to the event loop where both want it. Only on
 * Linux, where each thread has a priority of its own (setpriority(2)). To be called when the pool has had work, with which
 * its threads begin.
 */
export function yieldToEventLoop(): void {
  if (process.platform !== 'linux') return
  try {
    for (const thread of readdirSync(THREADS)) {
      const name = readFileSync(`${THREADS}/${thread}/comm`, 'utf8').trim()
      if (name === 'libuv-worker') {
        setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL)
      }
    }
  } catch {
    // Where that is not to be seen or not allowed, they are equals, as elsewhere: slower for others, and right.
  }
}
