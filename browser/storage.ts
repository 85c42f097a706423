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

/**
 * What one tab keeps, until it is closed or signs out, also where the browser throws its page away to save memory.
 * Where that is not allowed it keeps nothing.
 */
export const tab = {
  keep(key: string, value: string): void {
    try {
      sessionStorage.setItem(key, value)
    } catch {
      // What is there is older, and would be taken for the last word.
      tab.forget(key)
    }
  },
  forget(key: string): void {
    try {
      sessionStorage.removeItem(key)
    } catch {
      // Then it was not kept.
    }
  },
  isAnyKept(): boolean {
    try {
      return sessionStorage.length > 0
    } catch {
      return false
    }
  },
  clear(): void {
    try {
      sessionStorage.clear()
    } catch {
      // Then nothing was kept.
    }
  },
  /** What is kept under a key, when it is what it should be. */
  read<Value>(key: string, isValue: (value: unknown) => value is Value): Value | undefined {
    try {
      const value: unknown = JSON.parse(sessionStorage.getItem(key) ?? '')
      return isValue(value) ? value : undefined
    } catch {
      // It is not there, or not of this program.
      return undefined
    }
  },
}
