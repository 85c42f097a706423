// The proxies of deploy/ as Debian has them, with TLS, in front of what a test started.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type RequestOptions, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from './free-port.ts'
import { absent, folder, start } from './poolers.ts'

export const proxies = ['nginx', 'haproxy'] as const
type Proxy = (typeof proxies)[number]

/** Why the tests behind `proxy` are left out; false where it is. */
export const lacks = (proxy: Proxy): string | false =>
  elsewhere || absent(proxy) || absent('openssl')

/** Why the tests that come from several addresses are left out; false where there are several. */
export const elsewhere =
  process.platform !== 'linux' && 'only Linux has all addresses that begin with 127'

export interface TlsProxy {
  readonly url: string
  /** The same without TLS; nginx only. */
  readonly plainUrl: string
}

/**
 * Starts the proxy with its configuration from deploy/, but for ports and files, before `server`; nginx
 * before `others` as well, HAProxy with `patience` for the head of a request and for the next one.
 */
export async function startProxy(
  t: TestContext,
  proxy: Proxy,
  server: string,
  { others = [], patience }: { others?: readonly string[]; patience?: string } = {},
): Promise<TlsProxy> {
  const directory = await folder(t, undefined, {})
  const at = (file: string) => join(directory, file)
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', at('key.pem'), '-out', at('cert.pem'), '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost'],
    ],
    { stdio: 'pipe' },
  )
  const [port, plainPort] = [await freePort(), await freePort()]
  const replaced = (file: string, changes: ReadonlyArray<readonly [string, string]>): string =>
    changes.reduce(
      (text, [from, to]) => {
        if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
        return text.replaceAll(from, to)
      },
      readFileSync(new URL(`../deploy/${file}`, import.meta.url), 'utf8'),
    )
  const upstream = (url: string) => `server ${new URL(url).host};`
  if (proxy === 'nginx') {
    const site = replaced('nginx/todo-app.conf', [
      ['server 127.0.0.1:8000;', [server, ...others].map(upstream).join(' ')],
      ['listen 80;', `listen 127.0.0.1:${await freePort()};`],
      ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl; listen 127.0.0.1:${plainPort};`],
      ['/etc/ssl/todo.example.org.crt', at('cert.pem')],
      ['/etc/ssl/todo.example.org.key', at('key.pem')],
    ])
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${at(name)};`)
      .join('\n')
    writeFileSync(
      at('nginx.conf'),
      `daemon off; pid ${at('pid')}; error_log stderr;\nevents {}\nhttp { access_log off; ${temporary}\n${site} }\n`,
    )
    await start(t, port, 'nginx', ['-c', at('nginx.conf'), '-p', directory])
  } else {
    const configuration = replaced('haproxy/haproxy.cfg', [
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/etc/haproxy/todo.example.org.pem', at('both.pem')],
      ['127.0.0.1:8000 check inter 1s', new URL(server).host],
      ['  server two 127.0.0.1:8001 check inter 1s\n', ''],
      ['timeout http-request 15s', `timeout http-request ${patience ?? '15s'}`],
      ['timeout http-keep-alive 72s', `timeout http-keep-alive ${patience ?? '72s'}`],
    ])
    writeFileSync(
      at('both.pem'),
      readFileSync(at('cert.pem'), 'utf8') + readFileSync(at('key.pem'), 'utf8'),
    )
    writeFileSync(at('haproxy.cfg'), configuration)
    await start(t, port, 'haproxy', ['-db', '-f', at('haproxy.cfg')])
  }
  return { url: `https://localhost:${port}`, plainUrl: `http://127.0.0.1:${plainPort}` }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request on a connection of its own; `from` is the address that it comes from. */
export function ask(
  url: string,
  options: Pick<RequestOptions, 'method' | 'headers'> & { body?: string; from?: string } = {},
): Promise<Answer> {
  const { body, from = '127.0.0.1', ...rest } = options
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = send(
      url,
      // The certificate is the test's own.
      { ...rest, agent: false, family: 4, localAddress: from, rejectUnauthorized: false },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
