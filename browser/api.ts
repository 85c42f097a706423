import $ from 'jquery'
import { isRecord } from '../src/lib/record.ts'
import { person } from './page-data.ts'

/** The server said no. `status` and the sentence that it gave. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.name = 'Refused'
    this.status = status
  }
}

/** Nobody answered, or the one who did cannot serve now: the same request may work later. */
export class Away extends Error {
  /** Seconds to wait, when the server said so. */
  readonly retryAfter: number | undefined

  constructor(retryAfter: number | undefined) {
    super('The server cannot be reached.')
    this.name = 'Away'
    this.retryAfter = retryAfter
  }
}

/** The session has ended, or is somebody else's: the same request may work once the person has signed in again. */
export class SignedOut extends Error {
  constructor() {
    super('You are signed out.')
    this.name = 'SignedOut'
  }
}

export interface Answer {
  readonly body: unknown
  readonly tag: string | null
  readonly total: number
}

interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

const PATIENCE = 15_000
/** Nobody there, or a proxy or a server that says that it cannot serve now. */
const AWAY: ReadonlySet<number> = new Set([0, 502, 503, 504])

/**
 * Goes with every request: all windows of the browser share the session, and in another one somebody else
 * may have signed in since.
 */
export const fromThisPage = (): Record<string, string> => ({ 'X-Page-User': person() })

/** Calls the API as the signed-in browser. Throws `Refused`, `Away` or `SignedOut`. */
export function call({ method, url, body, headers = {}, signal }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = $.ajax({
      method,
      url,
      headers: { Accept: 'application/json', ...fromThisPage(), ...headers },
      timeout: PATIENCE,
      dataType: 'json',
      ...(body === undefined
        ? {}
        : { data: JSON.stringify(body), contentType: 'application/json', processData: false }),
    })
    signal?.addEventListener('abort', () => request.abort())
    request.then(
      (answer: unknown) =>
        resolve({
          body: answer,
          tag: request.getResponseHeader('ETag'),
          total: Number(request.getResponseHeader('X-Total-Count') ?? 0),
        }),
      () => {
        const retryAfter = Number(request.getResponseHeader('Retry-After')) || undefined
        if (AWAY.has(request.status)) reject(new Away(retryAfter))
        else if (request.status === 401) reject(new SignedOut())
        else reject(new Refused(request.status, sentenceIn(request.responseText)))
      },
    )
  })
}

/** What a problem (RFC 9457) says to a person, of a fault as the page without a script says it. */
function sentenceIn(text: string | undefined): string {
  try {
    const problem: unknown = JSON.parse(text ?? '')
    if (isRecord(problem)) {
      // The others often follow from the first one.
      const [fault]: unknown[] = Array.isArray(problem.errors) ? problem.errors : []
      if (isFault(fault)) return `The ${fault.loc.at(-1)} ${fault.msg}.`
      if (typeof problem.detail === 'string') return problem.detail
    }
  } catch {
    // What answered is not our server: a proxy, with a page of its own.
  }
  return 'The server gave an answer that is not understood.'
}

const isFault = (value: unknown): value is { readonly loc: unknown[]; readonly msg: string } =>
  isRecord(value) && Array.isArray(value.loc) && typeof value.msg === 'string'

/** A key that no other request has. (`crypto.randomUUID` is there over https only.) */
export const uniqueKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
