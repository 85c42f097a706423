import { drawnFor } from '../../web/components/drawn-for.ts'
import { icon } from '../../web/components/icon.ts'
import { html, type Html } from '../../web/html.ts'

export interface RowOptions {
  readonly id: number
  /** The id of the one whose todo it is. */
  readonly person: number
  readonly text: string
  readonly completed: boolean
  readonly updated_at: string
  /** The entity tag of this version of the todo. */
  readonly tag: string
  /** The view to come back to. */
  readonly next: string
  /** Set while the text is edited: what is in the field, and what to say about it. */
  readonly editing?: { readonly text: string; readonly note?: Html | undefined } | undefined
}

/** What each form of a row brings along: for whom it was drawn, and where to come back to. */
const about = ({ person, next }: Pick<RowOptions, 'person' | 'next'>): Html =>
  html`${drawnFor(person)}<input type="hidden" name="next" value="${next}">`

/** One todo. Its controls are forms and links, which the script of the page spares the way. */
export const row = ({
  id,
  person,
  text,
  completed,
  updated_at,
  tag,
  next,
  editing,
}: RowOptions): Html => html`
  <li id="todo-${id}" class="todo" data-id="${id}" data-tag="${tag}" data-updated-at="${updated_at}" tabindex="-1"
    ${completed && html`data-completed`} ${editing && html`data-editing="${text}"`}>
    <form class="tick-form" method="post" action="/home/todos/${id}/${completed ? 'reopen' : 'complete'}">
      ${about({ person, next })}
      <button class="tick" aria-pressed="${String(completed)}"
        aria-labelledby="done-label todo-text-${id}"><span class="tick-mark">${icon('check')}</span></button>
    </form>
    <p id="todo-text-${id}" class="todo-text" dir="auto" ${editing && html`hidden`}>${text}</p>
    <div class="todo-actions" ${editing && html`hidden`}>
      <a class="icon-button" href="${next}${next.includes('?') ? '&' : '?'}edit=${id}#todo-${id}" data-action="edit"
        aria-labelledby="edit-label todo-text-${id}">${icon('pencil')}</a>
      <form method="post" action="/home/todos/${id}/delete">
        ${about({ person, next })}
        <input type="hidden" name="tag" value="${tag}">
        <button class="icon-button" data-action="delete"
          aria-labelledby="delete-label todo-text-${id}">${icon('trash')}</button>
      </form>
    </div>
    ${editing && editForm({ id, person, before: text, tag, next, ...editing })}
  </li>`

interface EditOptions {
  readonly id: number
  readonly person: number
  readonly text: string
  /** The text that is saved. */
  readonly before: string
  readonly tag: string
  readonly next: string
  readonly note?: Html | undefined
}

const editForm = ({ id, person, text, before, tag, next, note }: EditOptions): Html => html`
  <form class="edit-form" method="post" action="/home/todos/${id}">
    ${about({ person, next })}
    <input type="hidden" name="before" value="${before}">
    <input type="hidden" name="tag" value="${tag}">
    ${note}
    <p class="fault" data-fault hidden></p>
    <textarea name="text" rows="1" class="input" dir="auto" aria-label="Text" enterkeyhint="done" required
      autofocus>
${text}</textarea>
    <div class="actions">
      <button class="button">Save</button>
      <a class="button-quiet" href="${next}" data-action="cancel">Cancel</a>
    </div>
  </form>`

/** What the script makes new rows of, and the words that name a row's controls. */
export const rowTemplates = (person: number): Html => html`
  <template id="row-template">
    ${row({ id: 0, person, text: '', completed: false, updated_at: '', tag: '', next: '/home' })}
  </template>
  <template id="edit-template">
    ${editForm({ id: 0, person, text: '', before: '', tag: '', next: '/home' })}
  </template>
  <div hidden>
    <span id="done-label">Done:</span>
    <span id="edit-label">Edit:</span>
    <span id="delete-label">Delete:</span>
  </div>`
