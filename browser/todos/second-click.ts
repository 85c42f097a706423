import { rowAt } from './rows.ts'

/** The second click of a double one comes within so many milliseconds, and as many pixels from the first. */
const SOON = 300
const NEAR = 10

/**
 * Ignores the second of two quick clicks at one place when another todo has taken that place by then: who taps a bin or a
 * box twice means the todo that was there.
 */
export function ignoreSecondClicks(list: HTMLElement): void {
  let last: MouseEvent | undefined
  /** The todo that is meant until there is a pause, or a click elsewhere. */
  let meant: HTMLElement | undefined
  const isQuick = (click: MouseEvent): boolean =>
    last !== undefined &&
    click.timeStamp - last.timeStamp < SOON &&
    Math.hypot(click.clientX - last.clientX, click.clientY - last.clientY) < NEAR
  list.addEventListener(
    'click',
    (click) => {
      const clicked = rowAt(click.target)
      // By the keyboard it is at no place.
      if (click.detail > 0 && clicked !== meant && isQuick(click)) {
        click.preventDefault()
        click.stopPropagation()
      } else {
        meant = clicked
      }
      last = click
    },
    { capture: true },
  )
}
