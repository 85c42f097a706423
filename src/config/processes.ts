import { Type } from 'typebox'
import { whole } from './option.ts'

/** How many processes serve, when one is replaced, and how they stop. */
export const processes = {
  WEB_CONCURRENCY: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 256,
      description:
        'How many processes serve. When absent: 1 on SQLite; on PostgreSQL one for each whole CPU that this machine or container is given, with 256 MiB for each and 128 MiB to spare, and at most 8. With 1 there is no supervisor, so nothing replaces a process that dies or hangs. The same as `--workers`.',
    }),
  ),
  WORKER_TIMEOUT: whole(
    0,
    3600,
    30,
    'A worker that gives no sign of life for so long is killed and replaced, in seconds; 0 for never. With several workers only.',
  ),
  MAX_REQUESTS: whole(
    0,
    1_000_000_000,
    0,
    'A worker is replaced after so many requests, and up to a tenth more so that not all go at once; 0 for never. With several workers only.',
  ),
  WORKER_MEMORY_LIMIT: whole(
    0,
    1_048_576,
    0,
    'A worker whose resident memory is larger is replaced, in MiB, but not in its first ten seconds; 0 for never. With several workers only.',
  ),
  GRACEFUL_TIMEOUT: whole(
    0,
    3600,
    30,
    'The time from a SIGTERM or SIGINT to the end at the latest, in seconds. Open requests finish in it.',
  ),
  DRAIN_DELAY: whole(
    0,
    600,
    1,
    'How long to go on serving after a SIGTERM or SIGINT while `/ready` answers 503, so that a load balancer sends nothing more, in seconds. Counts towards `GRACEFUL_TIMEOUT`, of which it must leave two seconds; when absent, 0 where 1 would not. Left out at a terminal.',
  ),
}
