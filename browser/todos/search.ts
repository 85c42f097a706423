import $ from 'jquery'
import { contents, currentView } from './list.ts'
import { announce } from './messages.ts'
import { goTo } from './navigation.ts'

const TYPING_PAUSE = 200

/** Lets the search field find as one types. */
export function watchSearch(): void {
  let pause: ReturnType<typeof setTimeout> | undefined
  let isTyping = false
  const search = async () => {
    clearTimeout(pause)
    const q = String($('#search').val()).trim()
    const { show } = currentView()
    if (q === currentView().q) return
    // One step back leads out of the search, however many letters it took.
    const how = isTyping ? 'replace' : 'push'
    isTyping = true
    if (await goTo({ show, q, page: 1 }, how)) announce(contents())
  }
  $('#search')
    .on('input', () => {
      clearTimeout(pause)
      pause = setTimeout(() => void search(), TYPING_PAUSE)
    })
    // Escape empties the field, and a browser may tell of that by this event alone.
    .on('search', () => void search())
    .on('blur', () => {
      isTyping = false
    })
  // After Back has left it, the field keeps the focus.
  addEventListener('popstate', () => {
    isTyping = false
  })
  $('#search-form').on('submit', (event) => {
    event.preventDefault()
    void search()
  })
}
