import { person } from '../page-data.ts'
import * as storage from '../storage.ts'

// What a page noted of its own work in the browser's storage, for the next one to go on with should it end
// before the server has answered. It holds texts, so it is kept by person.

const KINDS = ['added', 'changed'] as const

interface Notes<Note> {
  readonly keep: (name: string, note: Note) => void
  readonly forget: (name: string) => void
  /** What this person's pages noted, by its name. */
  readonly all: () => Map<string, Note>
  /** The name in a key of the storage; undefined when it is no key of these notes. */
  readonly nameIn: (key: string | null) => string | undefined
}

export function notesOf<Note>(
  kind: (typeof KINDS)[number],
  isNote: (value: unknown) => value is Note,
): Notes<Note> {
  const prefix = (): string => `${kind}/${person()}/`
  const read = (value: string): Note[] => {
    try {
      return [JSON.parse(value)].filter(isNote)
    } catch {
      // It is not of this program.
      return []
    }
  }
  const nameIn = (key: string | null): string | undefined =>
    key?.startsWith(prefix()) ? key.slice(prefix().length) : undefined
  return {
    nameIn,
    keep: (name, note) => storage.keep(prefix() + name, JSON.stringify(note)),
    forget: (name) => storage.forget(prefix() + name),
    all: () => {
      const found = [...storage.kept()].flatMap(([key, value]) => {
        const name = nameIn(key)
        return name === undefined ? [] : read(value).map((note) => [name, note] as const)
      })
      return new Map(found)
    },
  }
}

const keysOfAll = (): string[] =>
  [...storage.kept().keys()].filter((key) => KINDS.some((kind) => key.startsWith(`${kind}/`)))

/** Whether anybody noted something in this browser, or typed something in this tab. */
export const isAnyNoted = (): boolean => keysOfAll().length > 0 || storage.tab.isAnyKept()

/** Forgets what anybody noted in this browser, which the next person may use, or typed in this tab. */
export function forgetAll(): void {
  storage.tab.clear()
  for (const key of keysOfAll()) storage.forget(key)
}
