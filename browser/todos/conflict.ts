import { part } from '../template.ts'

export type Choice = 'mine' | 'theirs' | 'edit'

interface Texts {
  readonly mine: string
  readonly theirs: string
}

/** The last choice that was asked for. There is one dialog, so the next question waits for it. */
let last: Promise<unknown> = Promise.resolve()

/** Shows two texts and waits for the choice. Leaving without one goes on with editing: nothing is lost. */
export function resolveConflict(texts: Texts): Promise<Choice> {
  const choice = last.then(() => ask(texts))
  last = choice
  return choice
}

function ask({ mine, theirs }: Texts): Promise<Choice> {
  const dialog = part(document.body, '#conflict')
  if (!(dialog instanceof HTMLDialogElement)) throw new Error('There is no dialog for conflicts.')
  part(dialog, '[data-text=mine]').textContent = mine
  part(dialog, '[data-text=theirs]').textContent = theirs
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const { returnValue } = dialog
        resolve(returnValue === 'mine' || returnValue === 'theirs' ? returnValue : 'edit')
      },
      { once: true },
    )
  })
}
