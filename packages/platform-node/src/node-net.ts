import { createServer, Socket, type Server } from 'node:net'
import {
  invariant,
  silentLogger,
  type Address,
  type Connection,
  type Listener,
  type Logger,
  type Net,
} from '@tandemmq/base'
import { NodeConnection } from './node-connection.ts'

export interface NodeNetOptions {
  /** A connection whose peer leaves more than this unread is destroyed. Default 256 MiB. */
  readonly queuedBytesMax?: number
  /** What an accepted connection's `write` takes before it returns false. Default 256 KiB (64 KiB where we connected). */
  readonly highWaterBytes?: number
  /** Accepted connections of one listener at a time; more are closed at once. Default 1,000. */
  readonly connectionsMax?: number
  /** Told of connections that could not be accepted: a sparing one. Default: nobody is told. */
  readonly logger?: Logger
}

/** TCP on this machine, without Nagle's delay. */
export class NodeNet implements Net {
  readonly #queuedBytesMax: number
  readonly #highWaterBytes: number
  readonly #connectionsMax: number
  readonly #logger: Logger

  constructor(options: NodeNetOptions = {}) {
    this.#queuedBytesMax = options.queuedBytesMax ?? 256 * 1024 * 1024
    this.#highWaterBytes = options.highWaterBytes ?? 256 * 1024
    this.#connectionsMax = options.connectionsMax ?? 1_000
    this.#logger = options.logger ?? silentLogger
  }

  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const sockets = new Set<Socket>()
    const server = createServer({ highWaterMark: this.#highWaterBytes }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      accept(new NodeConnection(socket, this.#queuedBytesMax))
    })
    server.maxConnections = this.#connectionsMax
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: address.host, port: address.port }, () => {
        server.off('error', reject)
        const bound = boundAddress(server)
        // A failed accept (out of descriptors) concerns one connection, which its peer sees closed.
        server.on('error', (failure) => {
          const facts = { port: bound.port, connections: sockets.size, why: failure.message }
          this.#logger.error(facts, 'a connection could not be accepted')
        })
        server.on('drop', (from) => {
          const facts = { port: bound.port, peer: from?.remoteAddress, connections: sockets.size }
          this.#logger.warn(facts, 'a connection too many was turned away')
        })
        resolve({ address: bound, close: () => closeServer(server, sockets) })
      })
    })
  }

  connect(address: Address, signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(reasonOf(signal))
        return
      }
      const socket = new Socket()
      const abort = (): void => {
        socket.destroy()
        if (signal !== undefined) reject(reasonOf(signal))
      }
      const fail = (failure: Error): void => {
        signal?.removeEventListener('abort', abort)
        reject(failure)
      }
      signal?.addEventListener('abort', abort, { once: true })
      socket.once('error', fail)
      socket.connect({ host: address.host, port: address.port }, () => {
        signal?.removeEventListener('abort', abort)
        socket.off('error', fail)
        resolve(new NodeConnection(socket, this.#queuedBytesMax))
      })
    })
  }
}

function boundAddress(server: Server): Address {
  const bound = server.address()
  invariant(bound !== null && typeof bound === 'object', 'a TCP listener has an address and a port')
  return { host: bound.address, port: bound.port }
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}

function reasonOf(signal: AbortSignal): unknown {
  return signal.reason
}
