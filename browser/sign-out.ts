import $ from 'jquery'
import { isAnyNoted } from './todos/notes.ts'

const QUESTION =
  'Something that was done or typed here is not saved yet. Signing out forgets it. Sign out all the same?'

/**
 * Asks before somebody signs out where that forgets what a todo page could not save, or only had typed. `isAskedAnyway` says
 * whether the browser asks, since the page itself has something to lose.
 */
export function askBeforeSigningOut(isAskedAnyway: () => boolean = () => false): void {
  $('form[action="/logout"]').on('submit', (event) => {
    if (isAnyNoted() && !isAskedAnyway() && !confirm(QUESTION)) event.preventDefault()
  })
}
