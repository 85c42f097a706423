import type { FastifyBaseLogger } from 'fastify'
import { listenAt } from './listening.ts'

/** Serves the metrics on METRICS_PORT where that is set. Throws when the port is taken. */
export async function offerMetrics(
  { host, metricsPort }: { readonly host: string; readonly metricsPort: number | undefined },
  logger: FastifyBaseLogger,
  text: () => Promise<string>,
): Promise<void> {
  if (metricsPort === undefined) return
  const { serveMetrics } = await import('./http/metrics.ts')
  const place = { host, port: metricsPort }
  const url = await listenAt(place, 'METRICS_PORT', () =>
    serveMetrics(place, text, (err) => logger.error({ err }, 'the metrics cannot be told')),
  )
  logger.info(`Metrics on ${url}`)
}
