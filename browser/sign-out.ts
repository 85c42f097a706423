import $ from 'jquery'
import { isAnyNoted } from './todos/notes.ts'

const QUESTION =
  'Something that was done while the server was away is not saved yet, and is forgotten when you sign out. The todo page would save it. Sign out all the same?'

/** Asks before somebody signs out where that forgets what a todo page did not live to save. */
export function askBeforeSigningOut(): void {
  $('form[action="/logout"]').on('submit', (event) => {
    if (isAnyNoted() && !confirm(QUESTION)) event.preventDefault()
  })
}
