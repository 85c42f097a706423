import { html, type Html } from '../html.ts'
import { icon } from './icon.ts'

/** Something went wrong, or was refused. */
export const warning = (content: Html | string): Html =>
  html`<div class="notice notice-danger" role="alert">${icon('warning')}<div>${content}</div></div>`

/** Something went well. It stays until the next page: nothing runs away from a slow reader. */
export const notice = (content: Html | string): Html =>
  html`<div class="notice" role="status">${icon('info')}<div>${content}</div></div>`
