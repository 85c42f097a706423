import { icon } from '../../web/components/icon.ts'
import { html, type Html } from '../../web/html.ts'

const shortcuts: ReadonlyArray<readonly [keys: readonly string[], what: string]> = [
  [['n'], 'New todo'],
  [['/'], 'Search'],
  [['j', 'k'], 'Next and previous todo'],
  [['x'], 'Tick the todo off, or open it again'],
  [['e'], 'Edit the todo'],
  [['Delete'], 'Delete the todo (Backspace does, too)'],
  [['u'], 'Undo'],
  [['Ctrl+Z'], 'Undo, with these keys off too (Cmd+Z on a Mac)'],
  [['Enter'], 'Save'],
  [['Esc'], 'Leave without saving'],
  [['?'], 'This list'],
]

export const shortcutsDialog = (): Html => html`
  <dialog id="shortcuts" class="dialog" aria-labelledby="shortcuts-title">
    <form method="dialog" class="dialog-head">
      <h2 id="shortcuts-title">Keyboard</h2>
      <button class="icon-button" aria-label="Close">${icon('close')}</button>
    </form>
    <dl class="shortcuts">
      ${shortcuts.map(
        ([keys, what]) => html`
        <div><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${what}</dd></div>`,
      )}
    </dl>
    <label class="check-field"><input id="shortcuts-on" type="checkbox" checked>Use these keys</label>
  </dialog>`

/** Someone else changed the text meanwhile: both texts, and the choice. */
export const conflictDialog = (): Html => html`
  <dialog id="conflict" class="dialog" aria-labelledby="conflict-title">
    <form method="dialog">
      <h2 id="conflict-title">Changed somewhere else meanwhile</h2>
      <p>Which text shall it be?</p>
      <div class="versions">
        <figure>
          <figcaption>Theirs, saved already</figcaption>
          <blockquote data-text="theirs" dir="auto"></blockquote>
          <button class="button-quiet" value="theirs">Take theirs</button>
        </figure>
        <figure>
          <figcaption>Yours</figcaption>
          <blockquote data-text="mine" dir="auto"></blockquote>
          <button class="button" value="mine">Save yours</button>
        </figure>
      </div>
      <p class="actions"><button class="button-quiet" value="edit" autofocus>Keep on editing</button></p>
    </form>
  </dialog>`
