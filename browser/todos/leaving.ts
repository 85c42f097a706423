import { isAnyTyped } from './drafts.ts'
import { wantsText } from './row.ts'
import { visibleRows } from './rows.ts'
import { isIdle } from './writes.ts'

/** Whether something that was done or typed would be lost with the page. */
export const wouldLose = (): boolean => !isIdle() || isAnyTyped() || visibleRows().some(wantsText)

/** Begins to ask before the page is left with something unsaved. */
export function watchLeaving(): void {
  addEventListener('beforeunload', (event) => {
    if (wouldLose()) event.preventDefault()
  })
}
