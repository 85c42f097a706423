import cluster from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { ServiceConfig } from '../config/config.ts'
import { offerMetrics } from '../metrics-port.ts'
import type { Service } from '../service.ts'

/**
 * Serves until told to stop: in this process when one is enough, otherwise in workers that this
 * process watches over. Gives once it listens; throws when it cannot.
 */
export async function serve(config: ServiceConfig, logger: FastifyBaseLogger): Promise<void> {
  if (config.isRunByNpm) stopWithParent()
  // In a worker of another process manager, that one is the supervisor.
  if (config.workers > 1 && cluster.isPrimary) {
    const { supervise } = await import('../cluster.ts')
    return supervise(config, logger)
  }
  let service: Service | undefined
  stopOnSignal(config, logger, async () => {
    if (!service) return
    service.announceStop()
    await delay(config.drainDelay * 1000)
    await service.stop()
  })
  // Each of these is loaded only by a process that uses it, which saves memory and time.
  const { prepareService } = await import('../service.ts')
  await offerMetrics(config, logger, async () => {
    const { sumOf } = await import('../http/metrics.ts')
    return sumOf([(await service?.metrics()) ?? []])
  })
  // Known before it listens: told to stop from then on, it must finish what it has accepted.
  service = await prepareService(config, logger, 'start')
  await service.listen()
  service.keepHouse()
}

/**
 * The first SIGTERM, SIGINT or SIGHUP lets open requests finish; a second one, or the time limit,
 * does not.
 */
function stopOnSignal(
  config: ServiceConfig,
  logger: FastifyBaseLogger,
  stop: () => Promise<void>,
): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1)
    stopping = true
    logger.info(`${signal}: finishing the open requests`)
    setTimeout(() => {
      logger.error('open requests did not finish within GRACEFUL_TIMEOUT')
      process.exit(1)
    }, config.gracefulTimeout * 1000).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop in order')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal)
}

/** npm sends a SIGTERM on to its shell, which ends and does not send it on. */
function stopWithParent(): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}
