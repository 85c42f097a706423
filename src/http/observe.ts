import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import pino, { type DestinationStream, type LoggerOptions } from 'pino'
import { now } from '../lib/time.ts'
import { gathered } from '../lib/turn.ts'
import { traceOf } from './trace.ts'

/** So many bytes of the log wait while they cannot be written, as when the disk is full. */
const UNWRITTEN_MAX = 8 * 1024 * 1024

/** Makes the logger: JSON lines, or readable ones for a person at a terminal. */
export async function logger(
  level: string,
  format: 'auto' | 'json' | 'pretty',
): Promise<FastifyBaseLogger> {
  const options: LoggerOptions = {
    level,
    timestamp: () => `,"time":"${now()}"`,
    serializers: {
      err: pino.stdSerializers.err,
      // The path without its query: what a person searched for is theirs.
      req: ({ method, originalUrl, ip }) => ({
        method,
        path: String(originalUrl).split('?', 1)[0],
        ip,
      }),
      res: ({ statusCode }) => ({ status: statusCode }),
    },
  }
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  const output = standardOutput()
  if (!isPretty) return pino(options, oncePerTurn(output))
  const { prettyFactory } = await import('pino-pretty')
  const prettify = prettyFactory({
    ignore: 'pid,hostname,worker',
    messageFormat: '{if worker}[{worker}] {end}{msg}',
    translateTime: 'SYS:HH:MM:ss',
  })
  return pino(options, { write: (line) => output.write(prettify(line)) })
}

/** Standard output, which ends nothing where it cannot be written. What waits is tried again with what comes next. */
function standardOutput(): DestinationStream {
  const open = () => {
    const output = pino.destination({ dest: 1, sync: true, maxLength: UNWRITTEN_MAX })
    output.on('error', () => {})
    // One that has no room for more does not try any more either; a new one does.
    output.on('drop', () => {
      current = open()
    })
    return output
  }
  let current = open()
  return { write: (text) => current.write(text) }
}

/**
 * Writes the lines of one turn of the event loop together, since the system call takes longest of all about a
 * line: before the process ends, unless it is killed in that turn.
 */
const oncePerTurn = (output: DestinationStream): DestinationStream => ({
  write: gathered<string>((lines) => output.write(lines.join(''))),
})

/**
 * A line for each request, at the end of the turn of the event loop in which it was answered. All lines of a
 * request name the trace that it belongs to.
 */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (req, res, done) => {
    const trace = traceOf(req.headers)
    if (trace) req.log = res.log = req.log.child(trace)
    done()
  })
  const logLater = gathered<{ log: FastifyBaseLogger; line: object }>((answered) => {
    for (const { log, line } of answered) log.info(line, 'answered')
  })
  app.addHook(
    'onResponse',
    ({ log, method, originalUrl, ip }, { statusCode, elapsedTime }, done) => {
      // Taken now: a connection that is closed by then has no address.
      const line = {
        req: { method, originalUrl, ip },
        res: { statusCode },
        ms: Math.round(elapsedTime * 10) / 10,
      }
      logLater({ log, line })
      done()
    },
  )
}
