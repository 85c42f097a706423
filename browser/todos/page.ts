import { askBeforeSigningOut } from '../sign-out.ts'
import { watchAdding } from './add.ts'
import { watchDrafts } from './drafts.ts'
import { watchEditing } from './edit.ts'
import { watchKeyboard } from './keyboard.ts'
import { watchLeaving, wouldLose } from './leaving.ts'
import { watchLeftovers } from './leftovers.ts'
import { watchMessages } from './messages.ts'
import { watchNavigation } from './navigation.ts'
import { watchRemoving } from './remove.ts'
import { resume } from './resume.ts'
import { watchSearch } from './search.ts'
import { ignoreSecondClicks } from './second-click.ts'
import { watchReturn } from './session.ts'
import { watchSteps } from './steps.ts'
import { watchTicking } from './tick.ts'
import { watchNetwork } from './writes.ts'

/** Takes over the todo page: from now on nothing there needs a new page. */
export function startTodoPage(list: HTMLElement): void {
  watchMessages()
  watchNetwork()
  watchReturn()
  watchLeaving()
  askBeforeSigningOut(wouldLose)
  watchNavigation()
  watchSteps()
  watchSearch()
  watchAdding()
  ignoreSecondClicks(list)
  watchTicking(list)
  watchEditing(list)
  watchRemoving(list)
  watchLeftovers()
  resume()
  watchDrafts(list)
  watchKeyboard()
}
