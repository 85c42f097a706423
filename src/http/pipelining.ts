import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** So many requests of a connection wait for the answers before theirs; then nothing more is read from it. */
const WAITING_MAX = 32
/** It is read from again when as few wait. */
const WAITING_FEW = WAITING_MAX / 2

/**
 * Takes what a client sends without waiting for the answers (RFC 9112 §9.3.2) a piece at a time. Node
 * stops reading while answers wait to be sent; but it reads megabytes before the first of them is made, and
 * a request under way takes a hundred times as much memory as its text.
 */
export function boundPipelining(server: Server): void {
  const waiting = new WeakMap<Socket, Waiting>()
  server.on('request', ({ socket }, response) => {
    // It is the one whose answer is sent next.
    if (response.socket) return
    const known = waiting.get(socket) ?? new Waiting(socket)
    waiting.set(socket, known)
    known.add()
    response.on('close', () => known.remove())
  })
}

/** The requests of a connection that wait for the answers before theirs. */
class Waiting {
  #count = 0
  #isHeld = false
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    // Node resumes it for its own reasons, such as the body of a request that nobody read.
    socket.on('resume', () => this.#isHeld && socket.pause())
  }

  add(): void {
    this.#count++
    if (this.#count < WAITING_MAX) return
    this.#isHeld = true
    this.#socket.pause()
  }

  remove(): void {
    this.#count--
    if (!this.#isHeld || this.#count > WAITING_FEW) return
    this.#isHeld = false
    this.#socket.resume()
  }
}
