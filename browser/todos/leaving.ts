import $ from 'jquery'
import * as field from './field.ts'
import { visibleRows } from './list.ts'
import { isDraft, wantsText } from './row.ts'
import { isIdle } from './writes.ts'

/** Whether something that was done or typed would be lost with the page. */
export const wouldLose = (): boolean =>
  !isIdle() ||
  String($('#new-text').val()).trim() !== '' ||
  visibleRows().some((row) => isDraft(row) || wantsText(row) || field.isChanged(row))

/** Begins to ask before the page is left with something unsaved. */
export function watchLeaving(): void {
  addEventListener('beforeunload', (event) => {
    if (wouldLose()) event.preventDefault()
  })
}
