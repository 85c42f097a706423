import { Type } from 'typebox'
import { whole } from './option.ts'

/** What bounds a client: how much it may send, how slowly, and how many may come at once. */
export const limits = {
  BODY_LIMIT: whole(
    1024,
    100 * 1024 * 1024,
    1024 * 1024,
    'The largest request body, in bytes (413). Where nobody need be signed in it is 16 KiB at most.',
  ),
  HEADER_LIMIT: whole(
    4096,
    1024 * 1024,
    16 * 1024,
    'The largest request head, in bytes: the request line with the query, and all headers (431).',
  ),
  HEADERS_TIMEOUT: whole(
    1000,
    600_000,
    15_000,
    'How long a client may take to send the head of a request, or to send anything on a new connection, in milliseconds (408). Never longer than `REQUEST_TIMEOUT`.',
  ),
  REQUEST_TIMEOUT: whole(
    1000,
    600_000,
    30_000,
    'How long a client may take to send a whole request, in milliseconds (408).',
  ),
  STALL_TIMEOUT: whole(
    1000,
    600_000,
    60_000,
    'A connection with an open request on which nothing moves for so long, such as that of a client that does not read its answer, is cut, at the latest after twice as long; in milliseconds.',
  ),
  KEEP_ALIVE_TIMEOUT: whole(
    1000,
    600_000,
    72_000,
    'How long a connection stays open for a next request, in milliseconds. Behind a proxy, longer than the proxy keeps it.',
  ),
  CONNECTIONS_MAX: Type.Optional(
    Type.Integer({
      minimum: 10,
      maximum: 1_000_000,
      description:
        'Connections of one process, at most; further ones are closed at once. When absent: one for each 32 KiB of memory that this machine or container is given, beyond 256 MiB for each process and, with several, 128 MiB to spare; at least 1,024 and at most 16,384. With 512 MiB and one process that is 8,192.',
    }),
  ),
  OVERLOAD_DELAY: whole(
    10,
    60_000,
    500,
    'When requests have to wait longer than this for the processor or for a database connection, in milliseconds, those who come are refused (503) until it is less.',
  ),
}
