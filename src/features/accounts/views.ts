import { drawnFor } from '../../web/components/drawn-for.ts'
import { field } from '../../web/components/field.ts'
import { icon } from '../../web/components/icon.ts'
import { warning } from '../../web/components/notice.ts'
import { emptyForm, type FormState, focusIn } from '../../web/form.ts'
import { html, type Html } from '../../web/html.ts'
import { PASSWORD_HINT } from '../users/rules.ts'
import { Email, FirstName, LastName, NewPassword, type User } from '../users/schema.ts'

/** The form that came back, and with what. */
export interface Submitted {
  readonly name: 'names' | 'email' | 'password'
  readonly form: FormState
}

interface AccountOptions {
  readonly user: User
  /** How many there are. */
  readonly sessions: number
  readonly submitted?: Submitted | undefined
}

export const accountView = ({ user, sessions, submitted }: AccountOptions): Html => {
  const stateOf = (name: Submitted['name']) =>
    submitted?.name === name ? submitted.form : emptyForm
  return html`
  <div class="account-page">
    <div class="page-head">
      <h1>Account</h1>
      <p class="lead">${user.email}</p>
    </div>
    ${names(user, stateOf('names'))}
    ${email(user, stateOf('email'))}
    ${password(user, stateOf('password'))}
    ${section({
      name: 'sessions',
      heading: 'Sessions',
      about: 'The browsers and programs that are signed in.',
      content: html`
        <p>${sessions === 1 ? 'You are signed in here only.' : html`<strong>${sessions} sessions</strong>, this one among them.`}</p>
        <p><a class="button-quiet" href="/sessions">Show the sessions</a></p>`,
    })}
    ${section({
      name: 'data',
      heading: 'Your data',
      about: 'Everything in your account, to keep or to take elsewhere.',
      content: html`
        <p>One JSON file with your account, your sessions and all your todos.</p>
        <p><a class="button-quiet" href="/account/export">${icon('download')}Download all my data</a></p>`,
    })}
    ${section({
      name: 'deletion',
      heading: 'Delete the account',
      about: 'For good, with all your todos.',
      content: html`
        <p>Nothing of it can be brought back. You are asked once more before it happens.</p>
        <p><a class="button-quiet button-quiet-danger" href="/account/delete">Delete the account&hellip;</a></p>`,
    })}
  </div>`
}

interface Section {
  readonly name: string
  readonly heading: string
  readonly about: string
  readonly content: Html
}

const section = ({ name, heading, about, content }: Section): Html => html`
  <section class="card settings" aria-labelledby="${name}-heading">
    <div>
      <h2 id="${name}-heading">${heading}</h2>
      <p class="hint">${about}</p>
    </div>
    <div class="settings-content">${content}</div>
  </section>`

const names = (user: User, form: FormState): Html => {
  const { values, faults, message } = form
  const focus = focusIn(form, 'fname', 'lname')
  return section({
    name: 'names',
    heading: 'Name',
    about: 'How you are greeted.',
    content: html`
      ${message && warning(message)}
      <form class="form" method="post" action="/account/names">
        ${drawnFor(user.id)}
        <div class="form-row">
          ${field({
            name: 'fname',
            label: 'First name',
            value: values.fname ?? user.fname,
            fault: faults.fname,
            autocomplete: 'given-name',
            maxLength: FirstName.maxLength,
            autofocus: focus === 'fname',
          })}
          ${field({
            name: 'lname',
            label: 'Last name',
            value: values.lname ?? user.lname,
            fault: faults.lname,
            autocomplete: 'family-name',
            maxLength: LastName.maxLength,
            autofocus: focus === 'lname',
          })}
        </div>
        <p><button class="button">Save the name</button></p>
      </form>`,
  })
}

const email = (user: User, form: FormState): Html => {
  const { values, faults, message } = form
  const focus = focusIn(form, 'email', 'current_password')
  return section({
    name: 'email',
    heading: 'E-mail address',
    about: 'What you sign in with.',
    content: html`
      ${message && warning(message)}
      <form class="form" method="post" action="/account/email">
        ${drawnFor(user.id)}
        ${field({
          name: 'email',
          label: 'E-mail address',
          type: 'email',
          value: values.email ?? user.email,
          fault: faults.email,
          autocomplete: 'username',
          maxLength: Email.maxLength,
          autofocus: focus === 'email',
        })}
        ${field({
          name: 'current_password',
          id: 'email-password',
          label: 'Current password',
          type: 'password',
          fault: faults.current_password,
          autocomplete: 'current-password',
          autofocus: focus === 'current_password',
        })}
        <p><button class="button">Change the address</button></p>
      </form>`,
  })
}

const password = (user: User, form: FormState): Html => {
  const { faults, message } = form
  const focus = focusIn(form, 'current_password', 'password')
  return section({
    name: 'password',
    heading: 'Password',
    about: 'A new one ends your sessions elsewhere.',
    content: html`
      ${message && warning(message)}
      <form class="form" method="post" action="/account/password">
        ${drawnFor(user.id)}
        ${ownerForPasswordManagers(user)}
        ${field({
          name: 'current_password',
          label: 'Current password',
          type: 'password',
          fault: faults.current_password,
          autocomplete: 'current-password',
          autofocus: focus === 'current_password',
        })}
        ${field({
          name: 'password',
          label: 'New password',
          type: 'password',
          fault: faults.password,
          hint: PASSWORD_HINT,
          autocomplete: 'new-password',
          minLength: NewPassword.minLength,
          autofocus: focus === 'password',
        })}
        <p><button class="button">Change the password</button></p>
      </form>`,
  })
}

/** Tells a password manager whose password it is (web.dev, "Sign-in form best practices"). */
const ownerForPasswordManagers = ({ email }: User): Html =>
  html`<input type="text" autocomplete="username" value="${email}" readonly hidden>`

interface DeletionOptions {
  readonly user: User
  readonly form: FormState
}

/** The last question before an account goes. */
export const deletionView = ({ user, form: { faults, message } }: DeletionOptions): Html => html`
  <section class="card card-narrow">
    <a class="back-link" href="/account">${icon('previous')}Account</a>
    <h1>Delete your account?</h1>
    ${message && warning(message)}
    <div class="deletion-text">
      <p>The account <strong>${user.email}</strong> and everything in it will be deleted at once: your todos, your sessions, your name. <strong>Nobody can bring it back.</strong></p>
      <p>You may want to <a href="/account/export">download all your data</a> first.</p>
    </div>
    <form class="form" method="post" action="/account/delete">
      ${drawnFor(user.id)}
      ${ownerForPasswordManagers(user)}
      ${field({
        name: 'password',
        label: 'Password',
        type: 'password',
        fault: faults.password,
        hint: 'To make sure that it is you.',
        autocomplete: 'current-password',
        autofocus: true,
      })}
      <div class="actions">
        <button class="button-danger">Delete my account</button>
        <a class="button-quiet" href="/account">Keep it</a>
      </div>
    </form>
  </section>`
