import type { Config } from '../config/config.ts'

const TIMEOUT = 3000

/** Whether the server that this configuration describes answers that it is ready. */
export async function isReady({ host, port }: Config): Promise<boolean> {
  // What listens on every address is asked at the loopback one.
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const authority = address.includes(':') ? `[${address}]` : address
  try {
    const answer = await fetch(`http://${authority}:${port}/ready`, {
      signal: AbortSignal.timeout(TIMEOUT),
    })
    return answer.ok
  } catch {
    return false
  }
}
