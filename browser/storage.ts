/**
 * What could not be kept (a private window, a full disk, a setting): the page remembers it as long
 * as it is open.
 */
const remembered = new Map<string, string>()

/** Keeps a value in this browser, where every page of the site finds it. */
export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
    remembered.delete(key)
  } catch {
    // What is there is older, and would be taken for the last word.
    forget(key)
    remembered.set(key, value)
  }
}

export function forget(key: string): void {
  remembered.delete(key)
  try {
    localStorage.removeItem(key)
  } catch {
    // Then it was only remembered.
  }
}

export function isKept(key: string): boolean {
  try {
    return remembered.has(key) || localStorage.getItem(key) !== null
  } catch {
    return false
  }
}

/** Everything that is kept, by its key. */
export function kept(): ReadonlyMap<string, string> {
  return new Map([...entries(), ...remembered])
}

function entries(): Array<[string, string]> {
  try {
    return Object.entries(localStorage)
  } catch {
    return []
  }
}
