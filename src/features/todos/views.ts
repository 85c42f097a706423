import { drawnFor } from '../../web/components/drawn-for.ts'
import { icon } from '../../web/components/icon.ts'
import { warning } from '../../web/components/notice.ts'
import { html, type Html } from '../../web/html.ts'
import { conflictDialog, shortcutsDialog } from './dialogs.ts'
import {
  type Counts,
  emptyState,
  homePath,
  pageNumber,
  showNames,
  shows,
  summaryOf,
  type View,
} from './links.ts'
import { row, type RowOptions, rowTemplates } from './rows.ts'
import { SearchText } from './schema.ts'

export interface HomeOptions {
  /** The id of the one whose todos these are. */
  readonly person: number
  readonly view: View
  /** How many todos the view has on all its pages. */
  readonly total: number
  readonly pages: number
  readonly counts: Counts
  readonly rows: readonly RowOptions[]
  readonly pageSize: number
  /** Where the API's todos are. */
  readonly api: string
  /** Names the form for a new todo, and no other one. */
  readonly addKey: string
  /** A todo that could not be added: what was typed, and why not. */
  readonly add?: { readonly text: string; readonly fault: string } | undefined
  /** What could not be done to a todo, and why not. */
  readonly refusal?: string | undefined
}

/** The todo page. `browser/todos/` takes over what it finds here by the ids and `data-` names. */
export const homeView = (options: HomeOptions): Html => html`
  <div id="todo-page" data-person="${options.person}" data-api="${options.api}" data-page-size="${options.pageSize}">
    <h1 class="sr-only">Todos</h1>
    ${addForm(options)}
    <div class="toolbar">
      ${filters(options)}
      ${search(options.view)}
    </div>
    ${options.refusal && warning(options.refusal)}
    <div class="list-head">
      <p id="summary" class="summary" data-total="${options.total}">${summaryOf(options.view, options.counts, options.total)}</p>
      <p id="save-state" class="save-state" role="status"></p>
    </div>
    <ul id="todos" class="todo-list" aria-label="Todos" ${options.rows.length === 0 && html`hidden`}>
      ${options.rows.map((each) => row(each))}
    </ul>
    ${emptyStates(options)}
    ${pager(options)}
    <p class="shortcuts-hint"><button id="show-shortcuts" hidden>${icon('keyboard')}Keyboard</button></p>
    <div id="toasts" class="toasts" role="region" aria-label="Messages"></div>
    <div id="announcer" class="sr-only" role="status"></div>
    <div id="alarm" class="sr-only" role="alert"></div>
    <template id="toast-template">
      <div class="toast">
        <p></p>
        <div class="toast-actions">
          <button type="button" data-action="act"></button>
          <button type="button" class="dismiss" data-action="dismiss" aria-label="Dismiss">${icon('close')}</button>
        </div>
      </div>
    </template>
    ${rowTemplates(options.person)}
    ${shortcutsDialog()}
    ${conflictDialog()}
  </div>`

const addForm = ({ person, view, addKey, add }: HomeOptions): Html => html`
  <form id="add-form" class="add-form" method="post" action="/home/todos">
    ${drawnFor(person)}
    <input type="hidden" name="key" value="${addKey}">
    <input type="hidden" name="next" value="${homePath(view)}">
    ${icon('plus')}
    <label class="sr-only" for="new-text">New todo</label>
    <input id="new-text" name="text" value="${add?.text}" placeholder="What needs doing?"
      autocomplete="off" dir="auto" enterkeyhint="done" required
      ${add && html`aria-invalid="true" aria-describedby="new-text-fault" autofocus`}>
    <button class="button">Add</button>
  </form>
  <div id="new-text-fault">${add && warning(`The text ${add.fault}.`)}</div>`

const filters = ({ view, counts }: HomeOptions): Html => html`
  <nav class="filters" aria-label="Show">
    ${shows.map(
      (show) => html`
      <a href="${homePath({ show, q: view.q, page: 1 })}" data-show="${show}"
        ${show === view.show && html`aria-current="page"`}>${showNames[show]}
        <span class="count" data-count="${show}">${counts[show]}</span></a>`,
    )}
  </nav>`

const search = ({ show, q }: View): Html => html`
  <form id="search-form" class="search" role="search" action="/home">
    ${show !== 'all' && html`<input type="hidden" name="show" value="${show}">`}
    ${icon('search')}
    <label class="sr-only" for="search">Search</label>
    <input id="search" name="q" type="search" value="${q}" placeholder="Search" maxlength="${SearchText.maxLength}"
      autocomplete="off" dir="auto" enterkeyhint="search">
    <button>Search</button>
  </form>`

/** All of them stand on the page, so that the script needs no words of its own. */
const emptyStates = ({ view, counts, rows }: HomeOptions): Html => {
  const state = rows.length > 0 ? undefined : emptyState(view, counts)
  const states: ReadonlyArray<readonly [name: string, heading: string, text: Html | string]> = [
    ['first', 'Nothing to do yet', 'Write your first todo above and press Enter.'],
    ['all', 'Nothing to do', 'Write a todo above and press Enter.'],
    ['open', 'All done', 'Nothing is open. Enjoy the quiet.'],
    ['done', 'Nothing is done yet', 'What you tick off shows up here.'],
    [
      'search',
      'Nothing found',
      html`No todo has this text in it. <a href="${homePath({ ...view, q: '', page: 1 })}" data-clear-search>Show all</a>`,
    ],
    [
      'search-in',
      'Nothing found',
      html`None of these todos has this text in it. <a href="${homePath({ ...view, show: 'all', page: 1 })}" data-search-all>Look in all todos</a>`,
    ],
  ]
  return html`${states.map(
    ([name, heading, text]) => html`
    <div class="empty" data-empty="${name}" tabindex="-1" ${name !== state && html`hidden`}>
      ${icon(name.startsWith('search') ? 'search' : 'check')}
      <h2>${heading}</h2>
      <p>${text}</p>
    </div>`,
  )}`
}

const pager = ({ view, pages }: HomeOptions): Html => {
  const to = (page: number) => homePath({ ...view, page: Math.max(1, Math.min(page, pages)) })
  return html`
  <nav id="pager" class="pager" aria-label="Pages" ${pages < 2 && html`hidden`}>
    <a class="button-quiet" href="${to(view.page - 1)}" data-page="previous"
      ${view.page <= 1 && html`hidden`}>${icon('previous')}Previous</a>
    <span id="page-number">${pageNumber(view, pages)}</span>
    <a class="button-quiet" href="${to(view.page + 1)}" data-page="next"
      ${view.page >= pages && html`hidden`}>Next${icon('next')}</a>
  </nav>`
}
