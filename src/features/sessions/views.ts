import { field } from '../../web/components/field.ts'
import { warning } from '../../web/components/notice.ts'
import { type FormState, focusIn } from '../../web/form.ts'
import { html, type Html } from '../../web/html.ts'
import { PASSWORD_HINT } from '../users/rules.ts'
import { Email, FirstName, LastName, NewPassword } from '../users/schema.ts'
import { Username } from './schema.ts'

interface SignInOptions {
  readonly form: FormState
  /** Where to go after it. */
  readonly next: string
}

const to = (path: string, next: string): string =>
  next === '/home' ? path : `${path}?${new URLSearchParams({ next })}`

export const loginView = (
  { form: { values, faults, message }, next }: SignInOptions,
  { canSignUp }: { canSignUp: boolean },
): Html => html`
  <section class="card card-narrow">
    <h1>Sign in</h1>
    ${message && warning(message)}
    <form method="post" action="/login" class="form">
      <input type="hidden" name="next" value="${next}">
      ${field({
        name: 'username',
        label: 'E-mail address',
        type: 'email',
        value: values.username,
        fault: faults.username,
        autocomplete: 'username',
        maxLength: Username.maxLength,
        autofocus: !values.username || Boolean(faults.username),
      })}
      ${field({
        name: 'password',
        label: 'Password',
        type: 'password',
        fault: faults.password,
        autocomplete: 'current-password',
        autofocus: Boolean(values.username) && !faults.username,
      })}
      <button class="button button-wide">Sign in</button>
    </form>
    ${canSignUp && html`<p class="aside">New here? <a href="${to('/signup', next)}">Make an account</a></p>`}
  </section>`

export const signupView = ({ form, next }: SignInOptions): Html => {
  const { values, faults, message } = form
  // Only a taken address is refused as a whole.
  const focus = message
    ? 'email'
    : (focusIn(form, 'fname', 'lname', 'email', 'password') ?? 'fname')
  return html`
  <section class="card card-narrow">
    <h1>Make an account</h1>
    ${message && warning(message)}
    <form method="post" action="/signup" class="form">
      <input type="hidden" name="next" value="${next}">
      <div class="form-row">
        ${field({
          name: 'fname',
          label: 'First name',
          value: values.fname,
          fault: faults.fname,
          autocomplete: 'given-name',
          maxLength: FirstName.maxLength,
          autofocus: focus === 'fname',
        })}
        ${field({
          name: 'lname',
          label: 'Last name',
          value: values.lname,
          fault: faults.lname,
          autocomplete: 'family-name',
          maxLength: LastName.maxLength,
          autofocus: focus === 'lname',
        })}
      </div>
      ${field({
        name: 'email',
        label: 'E-mail address',
        type: 'email',
        value: values.email,
        fault: faults.email,
        autocomplete: 'username',
        maxLength: Email.maxLength,
        autofocus: focus === 'email',
      })}
      ${field({
        name: 'password',
        label: 'Password',
        type: 'password',
        fault: faults.password,
        hint: PASSWORD_HINT,
        autocomplete: 'new-password',
        minLength: NewPassword.minLength,
        autofocus: focus === 'password',
      })}
      <button class="button button-wide">Make the account</button>
    </form>
    <p class="aside">Have one already? <a href="${to('/login', next)}">Sign in</a></p>
  </section>`
}

export const signupClosedView = (): Html => html`
  <section class="card card-narrow">
    <h1>Make an account</h1>
    <p>Signing up is closed here. Ask whoever runs this service for an account.</p>
    <p class="aside">Have one already? <a href="/login">Sign in</a></p>
  </section>`

/** Asked where no person of ours may have meant it: another site led here, or the browser looked ahead. */
export const logoutView = (): Html => html`
  <section class="card card-narrow">
    <h1>Sign out?</h1>
    <p>You stay signed in until you say so here.</p>
    <form method="post" action="/logout" class="actions">
      <button class="button">Sign out</button>
      <a class="button-quiet" href="/home">Stay signed in</a>
    </form>
  </section>`
