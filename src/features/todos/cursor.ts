import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { lazy } from '../../lib/lazy.ts'
import { invalid } from '../../lib/problem.ts'
import { closed, MAX_INTEGER } from '../../lib/shapes.ts'

/** A place between two todos of an order: just behind, or just before, the one it names. */
export interface Cursor {
  readonly direction: 'after' | 'before'
  readonly key: string
  readonly id: number
}

const Encoded = closed({
  sort: Type.String(),
  direction: Type.Enum(['after', 'before']),
  key: Type.String(),
  // One less than the first id, where the cursor was turned round.
  id: Type.Integer({ minimum: 0, maximum: MAX_INTEGER }),
})

/**
 * The same place, looked at the other way. A cursor leaves out the todo that it names; this one has it, since
 * ids are whole numbers and the last thing that an order goes by.
 */
export function turned({ direction, key, id }: Cursor, isDescending: boolean): Cursor {
  return direction === 'after'
    ? { direction: 'before', key, id: isDescending ? id - 1 : id + 1 }
    : { direction: 'after', key, id: isDescending ? id + 1 : id - 1 }
}

/** Compiled, each check takes 0.1 µs instead of 6 to 10. */
const encoded = lazy(() => Compile(Encoded))

/** A cursor as clients carry it: opaque to them, and good for one order only. */
export const encodeCursor = (sort: string, cursor: Cursor): string =>
  Buffer.from(JSON.stringify({ sort, ...cursor })).toString('base64url')

/** Reads a cursor of the order `sort`. Throws 422 for any other text. */
export function decodeCursor(sort: string, text: string): Cursor {
  const decoded = parse(Buffer.from(text, 'base64url').toString())
  if (!encoded().Check(decoded) || decoded.sort !== sort || decoded.key.includes('\0')) {
    const msg = 'is not a cursor of this order; take one from a Link header'
    throw invalid({ loc: ['query', 'cursor'], msg, type: 'wrong_cursor' })
  }
  const { direction, key, id } = decoded
  return { direction, key, id }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
