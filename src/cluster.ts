import cluster from 'node:cluster'
import { closeSync, openSync } from 'node:fs'
import type { FastifyBaseLogger } from 'fastify'
import { Crew, type Rules } from './cluster/crew.ts'
import { offerMetrics } from './metrics-port.ts'

/**
 * Serves in several workers and watches over them; this process itself serves nothing. SIGHUP
 * exchanges the workers one by one, SIGTERM and SIGINT let them finish, a second one does not. Gives
 * once it listens; a worker that cannot start at first ends this process with its exit code.
 */
export async function supervise(
  rules: Rules & {
    readonly drainDelay: number
    readonly host: string
    readonly metricsPort: number | undefined
  },
  logger: FastifyBaseLogger,
): Promise<void> {
  // Each worker accepts for itself. Handed out by this process, as is node:cluster's usual way, a
  // connection that is on its way to a worker which dies or hangs is never closed nor answered.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({
    // As it was called: where that is a link to the current version, it may lead to a newer one.
    ...(process.argv[1] && { exec: process.argv[1] }),
    args: ['worker', ...process.argv.slice(2).filter((word) => word !== 'serve')],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  const crew = new Crew(rules, logger, (reason) => {
    logger.fatal({ reason }, 'giving up: the workers do not stay alive')
    crew.kill()
    process.exit(1)
  })

  let isStopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) {
      crew.kill()
      process.exit(1)
    }
    isStopping = true
    logger.info(`${signal}: finishing the open requests`)
    void crew.stop(rules.drainDelay).then((isInOrder) => {
      if (!isInOrder) logger.error('open requests did not finish within GRACEFUL_TIMEOUT')
      process.exit(isInOrder ? 0 : 1)
    })
  }
  const hadTerminal = hasTerminal()
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', (signal) => {
    // Sent by hand, or because the terminal was closed that this was started from.
    if (hadTerminal && !hasTerminal()) return stop(signal)
    if (isStopping) return
    logger.info('SIGHUP: exchanging the workers one by one')
    crew.restart()
  })

  await offerMetrics(rules, logger, () => crew.metrics())
  // Where the disk under it is full, what workers complain of is lost, and not the service.
  process.stderr.on('error', () => {})
  const exitCode = await crew.start()
  if (exitCode !== undefined) process.exit(exitCode)
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
