import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/**
 * Says bytes (Latin-1) to the server at `url`, be they HTTP or not, and gives all that it answers
 * until it closes.
 */
export async function say(url: string, bytes: string): Promise<string> {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.end(Buffer.from(bytes, 'latin1'))
  return text(socket).catch(() => '')
}
