import $ from 'jquery'

const YEAR = 365 * 24 * 60 * 60

/** Changes the colours at once and keeps the choice in the cookie that the server reads. */
export function switchTheme(): void {
  $('.theme-switch').on('submit', (event) => {
    const { originalEvent } = event
    const submitter = originalEvent instanceof SubmitEvent ? originalEvent.submitter : null
    const theme = submitter?.getAttribute('value')
    if (!theme) return
    event.preventDefault()
    const isSecure = location.protocol === 'https:'
    // The Cookie Store API would be nicer, and is not there over http.
    // biome-ignore lint/suspicious/noDocumentCookie: the server reads the choice before it paints
    document.cookie = `${isSecure ? '__Host-' : ''}theme=${theme}; path=/; max-age=${YEAR}; samesite=lax${isSecure ? '; secure' : ''}`
    document.documentElement.dataset.theme = theme
    for (const button of $('.theme-switch button')) {
      button.setAttribute('aria-pressed', String(button.getAttribute('value') === theme))
    }
  })
}
