import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Bounds the connections of a server. Of too many, the one that has gone longest without a request makes room: so peers that connect and say
 * nothing cannot keep out one that asks at once, as a health check does.
 */
export class ConnectionLimit {
  readonly #max: number
  #open = 0
  /** Connections on which no request is being answered, the longest silent first. */
  readonly #idle = new Set<Socket>()

  private constructor(max: number) {
    this.#max = max
  }

  static on(server: Server, max: number): void {
    const limit = new ConnectionLimit(max)
    server.on('connection', (socket) => limit.#opened(socket))
    server.on('request', ({ socket }, response) => {
      limit.#idle.delete(socket)
      response.once('close', () => {
        if (!socket.destroyed) limit.#idle.add(socket)
      })
    })
    // Listening goes on when no file descriptor is left for one more connection.
    server.on('error', () => undefined)
  }

  #opened(socket: Socket): void {
    this.#open += 1
    socket.once('close', () => {
      this.#open -= 1
      this.#idle.delete(socket)
    })
    this.#idle.add(socket)
    if (this.#open <= this.#max) return
    const [longest] = this.#idle
    longest?.destroy()
  }
}
