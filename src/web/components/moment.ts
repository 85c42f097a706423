import { lazy } from '../../lib/lazy.ts'
import { html, type Html } from '../html.ts'

// Made at the first use: it takes longer than most of what a start does.
const inWords = lazy(
  () =>
    new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),
)

/**
 * A moment in UTC, which is right everywhere without a script. `browser/times.ts` puts it into the
 * reader's own zone, and says of a recent one how long it is past.
 */
export function moment(time: string): Html {
  return html`<time datetime="${time}">${inWords().format(new Date(time))} UTC</time>`
}
