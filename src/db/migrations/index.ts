import type { Migration } from 'kysely/migration'
import * as accountsAndTodos from './0001-accounts-and-todos.ts'
import * as browserSessions from './0002-browser-sessions.ts'
import * as countTodos from './0003-count-todos.ts'
import * as searchIndex from './0004-search-index.ts'
import * as signInPlaces from './0005-sign-in-places.ts'
import * as greekFinalSigma from './0006-greek-final-sigma.ts'
import * as attemptsUnderWay from './0007-attempts-under-way.ts'
import * as shorterSearchIndex from './0008-shorter-search-index.ts'

/** Every migration in the order in which they run. A released one is never edited. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-accounts-and-todos': accountsAndTodos,
  '0002-browser-sessions': browserSessions,
  '0003-count-todos': countTodos,
  '0004-search-index': searchIndex,
  '0005-sign-in-places': signInPlaces,
  '0006-greek-final-sigma': greekFinalSigma,
  '0007-attempts-under-way': attemptsUnderWay,
  '0008-shorter-search-index': shorterSearchIndex,
}
