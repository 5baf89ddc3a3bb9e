import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Bounds the connections of a server. Of too many, the one that has gone longest without a complete request makes room, and if each of them
 * has one, the one whose answer takes longest. So whoever connects and says nothing, says half, or does not listen cannot keep out one that
 * asks at once, as a health check does.
 */
export class ConnectionLimit {
  readonly #max: number
  /** No answer is due, the longest first. */
  readonly #idle = new Set<Socket>()
  /** An answer is being given, the longest first. */
  readonly #busy = new Set<Socket>()

  readonly #evicted: () => void

  private constructor(max: number, evicted: () => void) {
    this.#max = max
    this.#evicted = evicted
  }

  /** @param evicted called for each connection that had to make room */
  static on(server: Server, max: number, evicted: () => void): void {
    const limit = new ConnectionLimit(max, evicted)
    server.on('connection', (socket) => limit.#opened(socket))
    server.on('request', (request, response) => limit.#asked(request, response))
    // Listening goes on when no file descriptor is left for one more connection.
    server.on('error', () => undefined)
  }

  #opened(socket: Socket): void {
    this.#idle.add(socket)
    socket.once('close', () => {
      this.#idle.delete(socket)
      this.#busy.delete(socket)
    })
    if (this.#idle.size + this.#busy.size <= this.#max) return
    const [longest] = this.#idle.size > 1 || this.#busy.size === 0 ? this.#idle : this.#busy
    longest?.destroy()
    this.#evicted()
  }

  #asked(request: IncomingMessage, response: ServerResponse): void {
    const { socket, headers } = request
    const begin = (): void => {
      if (this.#idle.delete(socket)) this.#busy.add(socket)
    }
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    if (hasBody) request.once('end', begin)
    else begin()
    response.once('close', () => {
      if (!socket.destroyed && this.#busy.delete(socket)) this.#idle.add(socket)
    })
  }
}
