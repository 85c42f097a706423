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

/** So many comparisons a character are as good as one: a word that nowhere repeats itself has at most six. */
const COMPARISONS_MAX = 12

/**
 * Whether looking for `part` from each place of a text in turn may take long, as for `aaaaaaaaaaaaab` in a text of `a`
 * alone. Its first characters are found again after as many places as their period is long (Knuth, Morris and Pratt,
 * 1977), and each time they are compared in vain.
 */
export function repeatsItself(part: string): boolean {
  const borders = [0]
  let border = 0
  let comparisons = 1
  for (let index = 1; index < part.length; index++) {
    while (border > 0 && part[index] !== part[border]) border = borders[border - 1] ?? 0
    if (part[index] === part[border]) border++
    borders.push(border)
    comparisons += 1 / (index + 1 - border)
  }
  return comparisons > COMPARISONS_MAX
}
