import { html, type Html } from '../html.ts'

const inWords = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
})

/**
 * A moment in UTC, which is right everywhere without a script. `browser/times.ts` puts it into the
 * reader's own zone, and says of a recent one how long it is past.
 */
export const moment = (time: string): Html =>
  html`<time datetime="${time}">${inWords.format(new Date(time))} UTC</time>`
