import { person } from '../page-data.ts'
import * as storage from '../storage.ts'

// What a page noted of its own work in the browser's storage, for the next one to go on with should it end
// before the server has answered. It holds texts, so it is kept by person.

const KINDS = ['added', 'changed'] as const

interface Notes<Note> {
  readonly keep: (name: string, note: Note) => void
  readonly forget: (name: string) => void
  /** What this person's pages noted. */
  readonly all: () => Note[]
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
  return {
    keep: (name, note) => storage.keep(prefix() + name, JSON.stringify(note)),
    forget: (name) => storage.forget(prefix() + name),
    all: () =>
      [...storage.kept()]
        .filter(([key]) => key.startsWith(prefix()))
        .flatMap(([, value]) => read(value)),
  }
}

const keysOfAll = (): string[] =>
  [...storage.kept().keys()].filter((key) => KINDS.some((kind) => key.startsWith(`${kind}/`)))

export const isAnyNoted = (): boolean => keysOfAll().length > 0

/** Forgets what anybody noted in this browser, which the next person may use. */
export function forgetAll(): void {
  for (const key of keysOfAll()) storage.forget(key)
}
