// The script in browser/ uses this file too, so it imports nothing.

/** Which of the todos a person looks at. */
export const shows = ['all', 'open', 'done'] as const
export type Show = (typeof shows)[number]

export const showNames: Readonly<Record<Show, string>> = { all: 'All', open: 'Open', done: 'Done' }

/** What a person looks at: which of the todos, with which text in them, and which page of those. */
export interface View {
  readonly show: Show
  readonly q: string
  /** From 1. */
  readonly page: number
}

export interface Counts {
  readonly all: number
  readonly open: number
  readonly done: number
}

/** The name of the words for a view without a todo. */
export function emptyState({ show, q }: View, { all }: Counts): string {
  if (q) return show === 'all' ? 'search' : 'search-in'
  return all === 0 ? 'first' : show
}

const todos = (count: number): string => `${count} ${count === 1 ? 'todo' : 'todos'}`

const foundWith = (q: string, found: number): string => `${todos(found)} with “${q}”`

/** What the list has, in words above it; `found` is how many todos a search found, once that is known. */
export function summaryOf(
  { q }: Pick<View, 'q'>,
  { open }: Pick<Counts, 'open'>,
  found?: number,
): string {
  if (!q) return `${open} to do`
  return found === undefined ? `Todos with “${q}”` : foundWith(q, found)
}

/** What a view shows, in words for those who do not see it; `found` is how many todos are on all its pages. */
export function contentsOf({ show, q, page }: View, found: number, pages: number): string {
  const what = q ? foundWith(q, found) : `${showNames[show]}: ${todos(found)}`
  return page > 1 ? `${what}, page ${page} of ${pages}` : what
}

export const pageNumber = ({ page }: Pick<View, 'page'>, pages: number): string =>
  `Page ${page} of ${pages}`

/** The address of a view of the todo page. What is usual is left out, so that addresses stay short. */
export function homePath({ show, q, page }: View): string {
  const query = new URLSearchParams({
    ...(show === 'all' ? {} : { show }),
    ...(q ? { q } : {}),
    ...(page > 1 ? { page: String(page) } : {}),
  }).toString()
  return query ? `/home?${query}` : '/home'
}

/** The view that an address means. One that was mistyped still means something. */
export function viewOf({ show, q = '', page }: Record<string, string | undefined>): View {
  const number = Number(page)
  return {
    show: shows.find((each): each is Show => each === show) ?? 'all',
    q,
    page: Number.isSafeInteger(number) && number > 0 ? number : 1,
  }
}
