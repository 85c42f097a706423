import { drawnFor } from '../../web/components/drawn-for.ts'
import { icon } from '../../web/components/icon.ts'
import { moment } from '../../web/components/moment.ts'
import { html, type Html } from '../../web/html.ts'
import { clientName } from './client-name.ts'
import type { ListedSession } from './list-store.ts'

/** Where a person is signed in, the session of this very browser first; `list` may leave some of the `total` out. */
export function sessionsView(
  userId: number,
  { list, total }: { readonly list: readonly ListedSession[]; readonly total: number },
  currentId: number,
): Html {
  const current = list.filter(({ id }) => id === currentId)
  const others = list.filter(({ id }) => id !== currentId)
  const more = total - list.length
  return html`
  <div class="account-page">
    <div class="page-head">
      <a class="back-link" href="/account">${icon('previous')}Account</a>
      <h1>Sessions</h1>
      <p class="lead">The browsers and programs that are signed in to your account. End the ones you do not know or need no more.</p>
    </div>
    <ul class="card session-list" aria-label="This session">
      ${current.map((each) => item(userId, each, true))}
    </ul>
    ${
      others.length > 0
        ? html`
    <div class="section-head">
      <div>
        <h2>Elsewhere</h2>
        ${more > 0 && html`<p class="lead">The ${others.length} used last, of ${others.length + more}. &ldquo;End all others&rdquo; ends every one.</p>`}
      </div>
      <form method="post" action="/sessions/end-others">
        ${drawnFor(userId)}
        <button class="button-quiet">End all others</button>
      </form>
    </div>
    <ul class="card session-list" aria-label="Sessions elsewhere">
      ${others.map((each) => item(userId, each, false))}
    </ul>`
        : html`<p class="lead">You are signed in nowhere else.</p>`
    }
  </div>`
}

const item = (
  userId: number,
  { id, user_agent, address, is_browser, created_at, last_used_at }: ListedSession,
  isCurrent: boolean,
): Html => html`
  <li class="session">
    <span class="session-icon">${icon(is_browser ? 'screen' : 'program')}</span>
    <div class="session-text">
      <p class="session-name" id="session-${id}">${clientName(user_agent)}
        ${isCurrent && html`<span class="badge">${is_browser ? 'This browser' : 'This program'}</span>`}
      </p>
      <p>${is_browser ? 'Browser' : 'API client'}${address && html`, from ${address}`}</p>
      <p>Last used ${moment(last_used_at)}</p>
      <p>Signed in ${moment(created_at)}</p>
    </div>
    <form method="post" action="/sessions/${id}/end">
      ${drawnFor(userId)}
      <button class="button-quiet" id="end-${id}" aria-labelledby="end-${id} session-${id}">${isCurrent ? 'Sign out' : 'End'}</button>
    </form>
  </li>`
