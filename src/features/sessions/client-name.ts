import Bowser from 'bowser'

/**
 * What a person calls the program of a User-Agent header: browser and system where they are known,
 * otherwise the name that the program gave itself. Anyone may send any of these texts: it is for
 * telling sessions apart, not for trusting them.
 */
export function clientName(userAgent: string | null): string {
  if (!userAgent) return 'An unknown program'
  const { browser, os } = Bowser.parse(userAgent)
  if (browser.name) return os.name ? `${browser.name} on ${os.name}` : browser.name
  return /^[\w.-]+/.exec(userAgent)?.[0] ?? 'An unknown program'
}
