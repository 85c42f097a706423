import { rowAt } from './list.ts'

/** The second click of a double one comes within so many milliseconds, and as many pixels from the first. */
const SOON = 300
const NEAR = 10

/**
 * Ignores the second of two quick clicks at one place when another todo has taken that place by then: who taps a bin or a
 * box twice means the todo that was there.
 */
export function ignoreSecondClicks(list: HTMLElement): void {
  let first: MouseEvent | undefined
  let row: HTMLElement | undefined
  const isSecond = (click: MouseEvent): boolean =>
    first !== undefined &&
    click.timeStamp - first.timeStamp < SOON &&
    Math.hypot(click.clientX - first.clientX, click.clientY - first.clientY) < NEAR
  list.addEventListener(
    'click',
    (click) => {
      const clicked = rowAt(click.target)
      // By the keyboard it is at no place.
      if (click.detail > 0 && clicked !== row && isSecond(click)) {
        click.preventDefault()
        click.stopPropagation()
      } else {
        row = clicked
      }
      first = click
    },
    { capture: true },
  )
}
