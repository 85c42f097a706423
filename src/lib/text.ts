// The script in browser/ uses this file too, so it imports nothing.

/**
 * Folds text so that spellings a person would call the same compare equal: compatibility forms
 * composed (NFKC), then lower case. Done here because `lower` differs between the databases. Σ becomes
 * ς at the end of a word and σ elsewhere, so the start of a word would fold differently by itself than
 * within the word; both become σ.
 */
export const fold = (text: string): string =>
  text.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ').normalize('NFKC')

/** The text with line feeds alone at the ends of lines, as a field of a page has it (HTML, `textarea`). */
export const lineFeeds = (text: string): string => text.replaceAll(/\r\n?/g, '\n')

/** A PostgreSQL index entry holds at most 2,704 bytes; 100 characters are at most 400. */
const SORT_KEY_LENGTH = 100

/** What text is ordered by, of the folded text: short enough to be indexed everywhere. */
export const sortKey = (folded: string): string => [...folded].slice(0, SORT_KEY_LENGTH).join('')

/** A LIKE pattern (with `\` as its escape) that finds `part` anywhere. */
export const containing = (part: string): string => `%${part.replace(/[\\%_]/g, '\\$&')}%`

/**
 * How often a character of a text is compared at most, when `part` is looked for from each place in turn: five or six
 * times, but two hundred for `aaa…ab` in a text of `a` alone. The first characters of the part are found again after
 * as many places as their period is long (Knuth, Morris and Pratt, 1977), and compared in vain each time.
 */
export function comparisonsMax(part: readonly string[]): number {
  const borders = [0]
  let border = 0
  let comparisons = 1
  for (let index = 1; index < part.length; index++) {
    while (border > 0 && part[index] !== part[border]) border = borders[border - 1] ?? 0
    if (part[index] === part[border]) border++
    borders.push(border)
    comparisons += 1 / (index + 1 - border)
  }
  return comparisons
}
