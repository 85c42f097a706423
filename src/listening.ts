import { codeOf } from './lib/code.ts'
import { ForeseenError } from './lib/foreseen.ts'

interface Fault {
  readonly of: 'host' | 'port'
  readonly allowed: string
}

const NO_ADDRESS: Fault = { of: 'host', allowed: 'an address of this machine' }

/** What is wrong with where to listen, by the code of the system's error. */
const FAULTS: ReadonlyMap<unknown, Fault> = new Map([
  ['ENOTFOUND', NO_ADDRESS],
  ['EAI_AGAIN', NO_ADDRESS],
  ['EADDRNOTAVAIL', NO_ADDRESS],
  ['EAFNOSUPPORT', NO_ADDRESS],
  ['EADDRINUSE', { of: 'port', allowed: 'one that nothing else listens on' }],
  ['EACCES', { of: 'port', allowed: 'one that this user may listen on' }],
])

/** Listens by `listen`. What keeps it from that is thrown as of the option that is to blame. */
export async function listenAt<Result>(
  { host, port }: { readonly host: string; readonly port: number },
  portOption: 'PORT' | 'METRICS_PORT',
  listen: () => Promise<Result>,
): Promise<Result> {
  try {
    return await listen()
  } catch (error) {
    const fault = FAULTS.get(codeOf(error))
    if (!(error instanceof Error) || !fault) throw error
    const [option, read] = fault.of === 'host' ? ['HOST', JSON.stringify(host)] : [portOption, port]
    throw new ForeseenError(
      `${option}: read ${read}, allowed: ${fault.allowed} (${error.message})`,
      { cause: error },
    )
  }
}
