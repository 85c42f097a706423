import type { IncomingHttpHeaders } from 'node:http'

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}/

/**
 * The trace that a request belongs to, and its caller's span in it, by the `traceparent` header (W3C
 * Trace Context §3.2); undefined when it is absent or not valid.
 */
export function traceOf({ traceparent }: IncomingHttpHeaders) {
  if (typeof traceparent !== 'string') return undefined
  const [match, trace_id, parent_id] = TRACEPARENT.exec(traceparent) ?? []
  // Only later versions than 00 may be longer.
  if (match === undefined || (match !== traceparent && traceparent.startsWith('00'))) {
    return undefined
  }
  return { trace_id, parent_id }
}
