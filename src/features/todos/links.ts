import type { View } from './overview.ts'

/** The address of a view of the todo page. What is usual is left out, so that addresses stay short. */
export function homePath({ show, q, page }: View): string {
  const query = new URLSearchParams({
    ...(show === 'all' ? {} : { show }),
    ...(q ? { q } : {}),
    ...(page > 1 ? { page: String(page) } : {}),
  }).toString()
  return query ? `/home?${query}` : '/home'
}
