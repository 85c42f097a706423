import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { signUp } from './load.ts'
import { type Server, startServer, until } from './server.ts'
import { isPostgresql } from './world.ts'

const TODOS = '/api/v1/todos'

/** Reads the text format of Prometheus: every sample with its labels, as it is written. */
async function scrape(url: string): Promise<Map<string, number>> {
  const answer = await fetch(url)
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers.get('content-type')), /^text\/plain; version=0\.0\.4/)
  const lines = (await answer.text()).split('\n').filter((line) => line && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, sample = '', value] = /^(\S+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
      return [sample, Number(value)] as const
    }),
  )
}

const requests = (method: string, route: string, status: number) =>
  `http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`

/** Waits for `count` processes that serve. */
const serving = (server: Server, count: number) =>
  until(() => {
    const lines = server.logged('msg').filter(({ msg }) => String(msg).startsWith('Listening'))
    return lines.length >= count
  }, server.output)

async function metricsPort(server: Server): Promise<string> {
  let url: string | undefined
  await until(() => {
    url = /Metrics on (http:\S+\/metrics)/.exec(server.output())?.[1]
    return url !== undefined
  }, server.output)
  return url ?? ''
}

test('metrics are closed unless asked for (404)', async (t) => {
  const server = await startServer(t)
  assert.equal((await fetch(`${server.url}/metrics`)).status, 404)
})

test('the port of the metrics answers nothing else (404)', async (t) => {
  const server = await startServer(t, { METRICS_PORT: '0' })
  const url = await metricsPort(server)
  assert.equal((await fetch(url)).status, 200)
  assert.equal((await fetch(url, { method: 'POST' })).status, 404)
  for (const path of ['/', '/metrics/more', '/health', '/openapi.json', '/login', TODOS])
    assert.equal((await fetch(new URL(path, url))).status, 404, path)
})

for (const workers of ['1', '2']) {
  test(`/metrics counts requests by route and status, over all processes (${workers})`, async (t) => {
    const variables = { WEB_CONCURRENCY: workers, METRICS: 'on', METRICS_PORT: '0' }
    const server = await startServer(t, variables)
    await serving(server, Number(workers))
    const headers = await signUp(server.url, 'ann@example.com')
    const counted = 40
    for (let index = 0; index < counted; index++) {
      // A connection of its own, which any worker may take.
      const answer = await fetch(`${server.url}${TODOS}`, {
        headers: { ...headers, connection: 'close' },
      })
      await answer.arrayBuffer()
    }
    await fetch(`${server.url}${TODOS}/12345`, { headers })
    await fetch(`${server.url}/no/such/path`)
    for (let index = 0; index < 11; index++) {
      const body = new URLSearchParams({ username: 'ann@example.com', password: 'wrong' })
      await fetch(`${server.url}/auth/token`, { method: 'POST', body })
    }
    for (const url of [`${server.url}/metrics`, await metricsPort(server)]) {
      const metrics = await scrape(url)
      assert.equal(metrics.get(requests('GET', TODOS, 200)), counted)
      assert.equal(metrics.get(requests('GET', `${TODOS}/:id`, 404)), 1)
      assert.equal(metrics.get(requests('GET', 'unknown', 404)), 1)
      assert.equal(metrics.get('sign_in_failures_total{reason="wrong"}'), 10)
      assert.equal(metrics.get('sign_in_failures_total{reason="limited"}'), 1)
      assert.ok((metrics.get('nodejs_eventloop_lag_p99_seconds') ?? 0) > 0)
      assert.equal(metrics.get('password_hashes{state="waiting"}'), 0)
      const selects = 'db_query_duration_seconds_count{statement="select",outcome="ok"}'
      assert.ok((metrics.get(selects) ?? 0) >= counted)
      assert.equal(metrics.get('db_pool_waiting'), isPostgresql ? 0 : undefined)
      assert.equal(metrics.get('workers'), workers === '1' ? undefined : 2)
    }
  })
}

/** Two workers that were asked for their health ten times, and where that is counted. */
async function askedTenTimes(t: TestContext) {
  const server = await startServer(t, { WEB_CONCURRENCY: '2', METRICS_PORT: '0' })
  await serving(server, 2)
  const url = await metricsPort(server)
  for (let index = 0; index < 10; index++) await fetch(`${server.url}/health`)
  const health = requests('GET', '/health', 200)
  assert.equal((await scrape(url)).get(health), 10)
  return { server, url, health }
}

test('the counts of workers that have ended are not lost', async (t) => {
  const { server, url, health } = await askedTenTimes(t)
  process.kill(server.pid, 'SIGHUP')
  await until(() => /all workers are new/.test(server.output()), server.output)
  const [dies] = server.logged('worker').filter(({ worker }) => worker === 3)
  process.kill(Number(dies?.pid), 'SIGKILL')
  await until(() => server.logged('ending').length === 1, server.output)
  const metrics = await scrape(url)
  assert.equal(metrics.get(health), 10)
  assert.equal(metrics.get('workers_ended_total{how="left"}'), 2)
  assert.equal(metrics.get('workers_ended_total{how="died"}'), 1)
})

test('workers that end while they are asked for their counts are counted once', async (t) => {
  const { server, url, health } = await askedTenTimes(t)
  const workers = new Set(server.logged('worker').map(({ pid }) => Number(pid)))
  for (const pid of workers) process.kill(pid, 'SIGSTOP')
  const scraping = scrape(url)
  // Comes after it, and is answered at once: by then the workers have been asked.
  await fetch(new URL('/', url))
  for (const pid of workers) process.kill(pid, 'SIGKILL')
  assert.equal((await scraping).get(health), 10)
  assert.equal((await scrape(url)).get(health), 10)
})

test('the dashboard shows no errors as 0, not as a lack of data', () => {
  const file = new URL('../deploy/grafana/todo-app.json', import.meta.url)
  const panels: Array<{ title: string; targets?: Array<{ expr: string }> }> = JSON.parse(
    readFileSync(file, 'utf8'),
  ).panels
  // There is no count of a status before its first answer.
  const [errors] = panels.find(({ title }) => title === 'Server errors')?.targets ?? []
  assert.match(
    errors?.expr ?? '',
    /^\(sum\(rate\(.+status=~"5\.\."\}\[.+?\]\)\) or vector\(0\)\) \/ sum\(/,
  )
})

test('the dashboard and the alerts ask only for metrics that there are', async (t) => {
  const server = await startServer(t, { WEB_CONCURRENCY: '2', METRICS_PORT: '0' })
  await serving(server, 2)
  await fetch(`${server.url}/ready`)
  const metrics = await scrape(await metricsPort(server))
  const known = new Set([...metrics.keys()].map((sample) => sample.replace(/\{.*/, '')))
  // A pool there is on PostgreSQL only; `up` is Prometheus's own.
  for (const name of ['db_pool_connections', 'db_pool_waiting', 'up']) known.add(name)
  const here = (path: string) => readFileSync(new URL(`../deploy/${path}`, import.meta.url), 'utf8')
  const dashboard = JSON.parse(here('grafana/todo-app.json'))
  const panels: Array<{ targets?: Array<{ expr: string }> }> = dashboard.panels
  const alerts = [
    ...here('prometheus/alerts.yaml').matchAll(/expr: (?:>-?\s+)?((?:.+\n)+?)\s+(?:for|labels):/g),
  ]
  assert.equal(alerts.length, 3)
  const expressions = [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...alerts.map(([, expression = '']) => expression),
  ]
  assert.ok(expressions.length > 10)
  for (const expression of expressions) {
    const names = expression.match(/\b(up|[a-z]+(_[a-z0-9]+)+|workers)\b(?=\{|\[|\s|\)|$)/g) ?? []
    for (const name of names.filter((name) => name !== 'histogram_quantile')) {
      assert.ok(known.has(name), `${name} in ${expression}`)
    }
  }
})
