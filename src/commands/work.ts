import type { FastifyBaseLogger } from 'fastify'
import { listener, Order, type Report } from '../cluster/messages.ts'
import type { ServiceConfig } from '../config/config.ts'
import { type Preparation, prepareService, type Service, type Supervision } from '../service.ts'
import { UsageError } from './usage.ts'

/** In milliseconds; so often that one late beat is not yet taken for a worker that hangs. */
const BEAT_EVERY = 500

/**
 * Serves as a worker of the supervisor (cluster.ts), which says when to start and when to leave.
 * Gives once it listens, and throws when it cannot. Should the supervisor vanish, node:cluster ends
 * this process.
 */
export async function work(config: ServiceConfig, logger: FastifyBaseLogger): Promise<void> {
  if (!process.send) throw new UsageError('`todo serve` starts the workers.')
  // Without a supervisor nobody need hear of it.
  const report = (message: Report) => process.send?.(message, () => {})
  let service: Service | undefined

  let metrics = Promise.withResolvers<string>()
  const supervision: Supervision = {
    metrics() {
      report({ report: 'ask for metrics' })
      return metrics.promise
    },
    onMigrating: () => report({ report: 'migrating' }),
  }
  const tellMetrics = async () => {
    const counted = (await service?.metrics()) ?? []
    await new Promise((resolve) =>
      process.send?.({ report: 'metrics', metrics: counted } satisfies Report, resolve),
    )
  }

  const start = async (preparation: Preparation) => {
    // Known before it listens: told to leave from then on, it must finish what it has accepted.
    service = await prepareService(config, logger, preparation, supervision)
    await service.listen()
    report({ report: 'serving' })
    setInterval(() => {
      const { rss } = process.memoryUsage()
      report({ report: 'beat', requests: service?.requests() ?? 0, rss })
    }, BEAT_EVERY)
  }
  const leave = async () => {
    try {
      await service?.stop()
      await tellMetrics()
      process.exit()
    } catch (error) {
      logger.error({ err: error }, 'could not stop in order')
      process.exit(1)
    }
  }

  // A terminal sends SIGINT and SIGHUP to the supervisor as well, which says what to do.
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.on('SIGTERM', () => report({ report: 'replace me', reason: 'SIGTERM' }))

  await new Promise<void>((resolve, reject) => {
    const hear = listener(Order, (message) => {
      switch (message.order) {
        case 'start':
          return start(message.preparation).then(resolve, reject)
        case 'keep house':
          return service?.keepHouse()
        case 'announce stop':
          return service?.announceStop()
        case 'tell metrics':
          return void tellMetrics()
        case 'metrics':
          metrics.resolve(message.text)
          metrics = Promise.withResolvers()
          return
        case 'leave':
          return void leave()
      }
    })
    process.on('message', hear)
  })
}
