import { html, type Html } from '../html.ts'

interface Field {
  readonly name: string
  /** Where another form of the page has a field of the same name. */
  readonly id?: string
  readonly label: string
  readonly type?: 'text' | 'email' | 'password'
  readonly value?: string | undefined
  /** What is wrong with it, as the end of a sentence that begins with the label. */
  readonly fault?: string | undefined
  readonly hint?: string
  readonly autocomplete: string
  readonly minLength?: number
  /** A browser cuts what is longer without a word, so none for a secret that nobody sees. */
  readonly maxLength?: number
  readonly autofocus?: boolean
}

/** One line to fill in, with its label, a hint, and what was wrong with it (WCAG 2.2, 3.3.1 to 3.3.3). */
export function field({
  name,
  id = name,
  label,
  type = 'text',
  value = '',
  fault,
  hint,
  autocomplete,
  minLength,
  maxLength,
  autofocus = false,
}: Field): Html {
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ')
  return html`
    <div class="field">
      <label for="${id}">${label}</label>
      <input class="input" id="${id}" name="${name}" type="${type}" value="${value}"
        autocomplete="${autocomplete}" required
        ${maxLength !== undefined && html`maxlength="${maxLength}"`}
        ${minLength !== undefined && html`minlength="${minLength}"`}
        ${type === 'email' && html`autocapitalize="none" spellcheck="false"`}
        ${described && html`aria-describedby="${described}"`}
        ${fault && html`aria-invalid="true"`} ${autofocus && html`autofocus`}>
      ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
      ${fault && html`<p class="fault" id="${id}-fault">${label} ${fault}.</p>`}
    </div>`
}
