import { PAGE_USER_FIELD } from '../../http/access.ts'
import { html, type Html } from '../html.ts'

/**
 * Begins each form by which a signed-in person changes what is theirs, and says whose that is: another
 * window of the browser may have signed somebody else in by the time that the form is sent.
 */
export const drawnFor = (userId: number): Html =>
  html`<input type="hidden" name="${PAGE_USER_FIELD}" value="${userId}">`
