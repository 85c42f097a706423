import { type Shown, show } from './messages.ts'

let notice: Shown | undefined
/** What could not be done for want of a session. */
const retries = new Set<() => Promise<void>>()

/** Opens a tab that knows nothing of this one: it would be given a copy of what this one keeps. */
const signIn = (): void => void open('/login', '_blank', 'noopener')

/** Says, once, that the session has ended. `retry` is called when the person comes back to the window. */
export function sayEnded(retry: () => Promise<void>): void {
  retries.add(retry)
  if (notice?.isShown()) return
  notice = show({
    text: 'You are signed out. Nothing is lost: sign in again, then come back here.',
    isAlarm: true,
    lasts: true,
    action: { label: 'Sign in', run: signIn },
  })
}

async function retryAll(): Promise<void> {
  const tried = [...retries]
  if (tried.length === 0) return
  retries.clear()
  await Promise.all(tried.map((retry) => retry()))
  if (retries.size === 0) notice?.close()
}

/** Begins to watch for the person who comes back, signed in or not. */
export function watchReturn(): void {
  addEventListener('focus', () => void retryAll())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void retryAll()
  })
}
