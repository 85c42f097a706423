/** The made-up people and todos of a data set. The same seed and size give the same content. */

const SEED = 20_260_131
/** A busy person's list is this large in the larger data sets, and a tenth of all todos in the smallest. */
const LARGE_LIST = 100_000
const VOCABULARY = 4096
const SYLLABLES =
  'ba be bo ca ce co da de di fa fi ga go la le li ma me mo na no pa pe ra ri sa so ta te ti va we'
const START = Date.UTC(2024, 0, 1)
const TWO_YEARS = 2 * 365 * 24 * 60 * 60 * 1000

export interface Person {
  readonly id: number
  readonly email: string
  readonly fname: string
  readonly lname: string
}

export interface Row {
  readonly id: number
  readonly owner_id: number
  readonly text: string
  readonly completed_at: string | null
  readonly created_at: string
  readonly updated_at: string
}

export interface Content {
  readonly people: readonly Person[]
  /** Who has the large list. */
  readonly busy: number
  /** Words from the most frequent to the rarest. */
  readonly words: readonly string[]
  rows(): Generator<Row>
}

const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

/** Mulberry32: 32 bits of state, good enough for content, and the same everywhere. */
function randomBy(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function makeWords(random: () => number): string[] {
  const syllables = SYLLABLES.split(' ')
  const words = new Set<string>()
  while (words.size < VOCABULARY) {
    const length = 2 + Math.floor(random() * 3)
    words.add(
      Array.from({ length }, () => syllables[Math.floor(random() * syllables.length)]).join(''),
    )
  }
  return [...words]
}

/**
 * Whose each todo is, in the order of time: one person has the large list, the others from 1 to 1000
 * each, evenly on a logarithmic scale (so most have few), and all of them mixed together.
 */
function makeOwners(size: number, random: () => number): Uint32Array {
  const owners = new Uint32Array(size)
  const large = Math.min(LARGE_LIST, size / 10)
  owners.fill(1, 0, large)
  for (let next = large, id = 2; next < size; id++) {
    const end = Math.min(size, next + Math.floor(10 ** (random() * 3)))
    owners.fill(id, next, end)
    next = end
  }
  for (let last = size - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const kept = owners[last] ?? 0
    owners[last] = owners[other] ?? 0
    owners[other] = kept
  }
  return owners
}

/** The content of a data set of `size` todos. */
export function makeContent(size: number): Content {
  const random = randomBy(SEED)
  const words = makeWords(random)
  const owners = makeOwners(size, random)
  const count = owners.reduce((most, owner) => Math.max(most, owner), 0)
  const people = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    email: `person${index + 1}@example.com`,
    fname: `Person${index + 1}`,
    lname: 'Benchmark',
  }))
  // Zipf's law: the word of rank r is drawn about 1 / r as often as the first.
  const word = () => words[Math.floor(VOCABULARY ** random()) - 1] ?? ''
  return {
    people,
    busy: 1,
    words,
    *rows() {
      for (let index = 0; index < size; index++) {
        const at = START + Math.floor((index / size) * TWO_YEARS)
        const created_at = new Date(at).toISOString()
        const isCompleted = random() < 0.6
        const completed_at = isCompleted ? new Date(at + random() * 1e9).toISOString() : null
        const length = 2 + Math.floor(random() * 7)
        yield {
          id: index + 1,
          owner_id: owners[index] ?? 0,
          text: capitalised(Array.from({ length }, word).join(' ')),
          completed_at,
          created_at,
          updated_at: completed_at ?? created_at,
        }
      }
    },
  }
}
