import type { FastifyBaseLogger } from 'fastify'
import { serveMetrics } from './http/metrics.ts'

/** Serves the metrics on METRICS_PORT where that is set. Throws when the port is taken. */
export async function offerMetrics(
  { host, metricsPort }: { readonly host: string; readonly metricsPort: number | undefined },
  logger: FastifyBaseLogger,
  text: () => Promise<string>,
): Promise<void> {
  if (metricsPort === undefined) return
  logger.info(`Metrics on ${await serveMetrics({ host, port: metricsPort }, text)}`)
}
