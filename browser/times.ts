const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

// As the page's own language has it, in which the words around it are.
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' })
const past = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** Shows each moment of the page in the reader's zone, and a recent one as how long it is past. */
export function showLocalTimes(): void {
  for (const element of document.querySelectorAll('time')) {
    const time = new Date(element.dateTime)
    element.title = whole.format(time)
    element.textContent = inWords(time)
  }
}

function inWords(time: Date): string {
  const age = Date.now() - time.getTime()
  if (age < MINUTE) return 'just now'
  if (age < HOUR) return past.format(-Math.floor(age / MINUTE), 'minute')
  if (age < DAY) return past.format(-Math.floor(age / HOUR), 'hour')
  if (age < 7 * DAY) return past.format(-Math.floor(age / DAY), 'day')
  return whole.format(time)
}
