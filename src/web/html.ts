import { html as escaped } from 'ghtml'

/** Markup that is safe to send: only `html` makes it, so a plain string is never taken for it. */
export class Html {
  readonly #markup: string

  private constructor(markup: string) {
    this.#markup = markup
  }

  static of(strings: TemplateStringsArray, values: readonly Value[]): Html {
    return new Html(
      strings.reduce((markup, string, index) => markup + markupOf(values[index - 1]) + string),
    )
  }

  toString(): string {
    return this.#markup
  }
}

type Value = Html | readonly Value[] | string | number | false | null | undefined

/**
 * A piece of a page. What stands in `${}` is text and gets escaped, in content and in quoted
 * attributes, unless it is itself a piece of a page. Lists are written one after the other; false,
 * null and undefined are nothing.
 */
export const html = (strings: TemplateStringsArray, ...values: Value[]): Html =>
  Html.of(strings, values)

function markupOf(value: Value): string {
  if (value instanceof Html) return value.toString()
  if (value === false || value === null || value === undefined) return ''
  if (typeof value === 'string' || typeof value === 'number') return escaped`${String(value)}`
  return value.map(markupOf).join('')
}
