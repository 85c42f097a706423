/** Who stopped the loading may send the form again after so many milliseconds. */
const UNDER_WAY = 10_000

/**
 * Ignores the second click on a slow line. The form would be sent twice, and the answer to the second,
 * such as that the address is taken, would be all that is seen.
 */
export function sendOnce(): void {
  let sent = new WeakMap<EventTarget, number>()
  // At the window, behind those that send a form by themselves.
  addEventListener('submit', (event) => {
    const { target, timeStamp, defaultPrevented } = event
    if (!target || defaultPrevented) return
    if (timeStamp - (sent.get(target) ?? Number.NEGATIVE_INFINITY) < UNDER_WAY)
      event.preventDefault()
    else sent.set(target, timeStamp)
  })
  // Back from the answer, to the page as it was.
  addEventListener('pageshow', () => {
    sent = new WeakMap()
  })
}
