import { once } from 'node:events'
import { createServer } from 'node:http'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObject,
  Registry,
} from 'prom-client'
import { signInFailures } from '../lib/events.ts'
import { hashing } from '../lib/passwords.ts'
import type { PoolUse } from '../lib/pool-use.ts'
import { atEndOfTurn, gathered } from '../lib/turn.ts'

/** What one process counted, as it may be sent to another. */
export type Snapshot = MetricObject[]

/** Adds up what processes counted, in the text format of Prometheus. */
export const sumOf = (snapshots: Snapshot[]): Promise<string> =>
  AggregatorRegistry.aggregate(snapshots).metrics()

/** What this process counts, for Prometheus. */
export interface Metrics {
  /** Counts the requests of `app`; call it before the first route. */
  watch(app: FastifyInstance): void
  /** Counts a query. */
  query(statement: string, milliseconds: number, worked: boolean): void
  /** Reads the use of the pool from `read` from now on. */
  watchPool(read: () => PoolUse | undefined): void
  snapshot(): Promise<Snapshot>
}

/** From a page out of memory to what a person takes for broken, in seconds. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const QUERY_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

export function countedMetrics(version: string): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  for (const { name } of registry.getMetricsAsArray()) {
    // Of several processes the slowest is what somebody notices, not the mean.
    if (name.startsWith('nodejs_eventloop_lag'))
      Object.assign(registry.getSingleMetric(name) ?? {}, { aggregator: 'max' })
  }

  new Gauge({
    name: 'todo_app_info',
    help: 'The version that runs; always 1.',
    labelNames: ['version'],
    aggregator: 'first',
    registers,
  }).set({ version }, 1)
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
  })
  const inFlight = new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests that came and are not answered yet.',
    registers,
  })
  const queries = new Histogram({
    name: 'db_query_duration_seconds',
    help: 'How long the database took, by statement (select, insert, update, delete, other) and outcome (ok, error).',
    labelNames: ['statement', 'outcome'],
    buckets: QUERY_BUCKETS,
    registers,
  })
  const failures = new Counter({
    name: 'sign_in_failures_total',
    help: 'Passwords that did not fit (wrong), or were refused unseen after too many (limited).',
    labelNames: ['reason'],
    registers,
  })
  for (const reason of ['wrong', 'limited']) failures.inc({ reason }, 0)
  signInFailures.subscribe((reason) => failures.inc({ reason: String(reason) }))
  new Gauge({
    name: 'password_hashes',
    help: 'Password hashes being computed (running), and those that wait for it (waiting).',
    labelNames: ['state'],
    registers,
    collect() {
      const { running, waiting } = hashing()
      this.set({ state: 'running' }, running)
      this.set({ state: 'waiting' }, waiting)
    },
  })

  const observeLater = gathered<() => void>((observations) => {
    for (const observe of observations) observe()
  })

  return {
    watch(app) {
      app.addHook('onRequest', (_request, reply, done) => {
        inFlight.inc()
        reply.raw.on('close', () => inFlight.dec())
        done()
      })
      app.addHook('onResponse', (request, reply, done) => {
        const route = request.routeOptions.url ?? 'unknown'
        const labels = { method: request.method, route, status: reply.statusCode }
        const seconds = reply.elapsedTime / 1000
        observeLater(() => requests.observe(labels, seconds))
        done()
      })
    },
    query(statement, milliseconds, worked) {
      const labels = { statement, outcome: worked ? 'ok' : 'error' }
      observeLater(() => queries.observe(labels, milliseconds / 1000))
    },
    watchPool(read) {
      if (!read()) return
      new Gauge({
        name: 'db_pool_connections',
        help: 'PostgreSQL connections of the pool, by state (used, idle).',
        labelNames: ['state'],
        registers,
        collect() {
          const { used, idle } = read() ?? { used: 0, idle: 0 }
          this.set({ state: 'used' }, used)
          this.set({ state: 'idle' }, idle)
        },
      })
      new Gauge({
        name: 'db_pool_waiting',
        help: 'How many wait for a connection of the pool.',
        registers,
        collect() {
          this.set(read()?.waiting ?? 0)
        },
      })
    },
    async snapshot() {
      // After what was observed in this turn.
      await new Promise<void>((done) => atEndOfTurn(done))
      return registry.getMetricsAsJSON()
    },
  }
}

/** `GET /metrics` on the port of the service, for anyone who may reach it. */
export const metricsRoute =
  (text: () => Promise<string>): FastifyPluginAsync =>
  async (app) => {
    app.get(
      '/metrics',
      { config: { access: 'public', isVital: true }, schema: { hide: true } },
      async (_request, reply) => reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await text()),
    )
  }

/**
 * Serves `GET /metrics`, and nothing else, on a port of its own. Gives its URL once it listens;
 * throws when the port is taken. `onFailure` is told why a scrape is answered by a 500.
 */
export async function serveMetrics(
  { host, port }: { host: string; port: number },
  text: () => Promise<string>,
  onFailure: (error: unknown) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    text().then(
      (body) => response.setHeader('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE).end(body),
      (error: unknown) => {
        onFailure(error)
        response.writeHead(500).end()
      },
    )
  })
  server.listen(port, host)
  await once(server, 'listening')
  // It serves as long as there is something to measure.
  server.unref()
  const address = server.address()
  const at = address !== null && typeof address === 'object' ? address.port : port
  return `http://${host.includes(':') ? `[${host}]` : host}:${at}/metrics`
}
