import { html, type Html } from '../html.ts'

/** Drawn on a field of 24 by 24, in lines of the text's colour. */
const paths = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  pencil: 'M4 20h4L19 9l-4-4L4 16v4zM13.5 6.5l4 4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  plus: 'M12 5v14M5 12h14',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1.2-3.6 4.3-5 8-5s6.8 1.4 8 5',
  leave: 'M14 4h5v16h-5M4 12h11M11 8l4 4-4 4',
  close: 'M6 6l12 12M18 6L6 18',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.01',
  warning: 'M12 4L2.8 20h18.4L12 4zM12 10v4M12 17v.01',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  screen: 'M3 5h18v11H3zM8 20h8M12 16v4',
  program: 'M5 7l5 5-5 5M12 17h7',
  download: 'M12 4v11M7 10l5 5 5-5M5 20h14',
  keyboard: 'M3 6h18v12H3zM7 10v.01M11 10v.01M15 10v.01M8 14h8',
} as const
export type Icon = keyof typeof paths

/** The drawings, once on a page, for `icon` to refer to. */
export const iconSheet = (): Html => html`
  <svg hidden>
    ${Object.entries(paths).map(
      ([name, path]) =>
        html`<symbol id="icon-${name}" viewBox="0 0 24 24"><path d="${path}"/></symbol>`,
    )}
  </svg>`

/** A picture that says nothing by itself: what carries it has a text. */
export const icon = (name: Icon): Html =>
  html`<svg class="icon" aria-hidden="true"><use href="#icon-${name}"/></svg>`
