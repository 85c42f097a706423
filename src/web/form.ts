import type { FastifyReply, FastifyRequest } from 'fastify'
import { faultsOf } from '../http/validation.ts'
import { type Fault, Problem } from '../lib/problem.ts'
import { waitAfter } from './wait.ts'

/** What a form is shown with when it comes back: what was typed, and what is wrong with it. */
export interface FormState {
  /** What was typed, by field; never a password. */
  readonly values: Readonly<Record<string, string>>
  /** What is wrong, by field, as the end of a sentence that begins with the field's label. */
  readonly faults: Readonly<Record<string, string>>
  /** What is wrong with the whole of it. */
  readonly message?: string | undefined
}

export const emptyForm: FormState = { values: {}, faults: {} }

/** A form begins where it needs the person: at the first field that is wrong. */
export const focusIn = ({ faults, message }: FormState, ...fields: readonly string[]) =>
  fields.find((name) => faults[name]) ?? (message && fields[0])

/**
 * Refusals that the person can mend in the form: it comes back with what they typed. Anything else
 * is for the error page.
 */
const MENDABLE: ReadonlySet<number> = new Set([401, 404, 409, 412, 422, 429])

/**
 * Does what a form asks for and gives what `act` gives. When that is refused and the person can mend
 * it, gives the refusal and what to show the form with; `reply` has the refusal's status and headers
 * then. For routes with `attachValidation`. Throws every other error, and the faults of what is not
 * in the form, such as an id in the path.
 */
export async function submit<Result>(
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Promise<Result>,
): Promise<{ done: Result } | { refused: Problem; form: FormState }> {
  try {
    const { validationError } = request
    const { validation, validationContext } = validationError ?? {}
    if (validationError && !(validation && validationContext === 'body')) throw validationError
    if (validation) throw new Problem(422, '', { errors: faultsOf(validation, 'body') })
    return { done: await act() }
  } catch (error) {
    if (!(error instanceof Problem) || !MENDABLE.has(error.status)) throw error
    reply.code(error.status).headers(error.headers)
    const faults = byField(error.errors ?? [])
    const message = error.errors ? undefined : sentences(error)
    return { refused: error, form: { values: typed(request.body), faults, message } }
  }
}

const sentences = (problem: Problem): string =>
  [problem.detail, waitAfter(problem)].filter(Boolean).join(' ')

/** The first fault of each field: the others often follow from it. */
const byField = (faults: readonly Fault[]): Record<string, string> =>
  Object.fromEntries(faults.toReversed().map(({ loc, msg }) => [String(loc.at(-1)), msg]))

function typed(body: unknown): Record<string, string> {
  if (typeof body !== 'object' || body === null) return {}
  return Object.fromEntries(
    Object.entries(body).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && !entry[0].includes('password'),
    ),
  )
}
