import type { Socket } from 'node:net'
import {
  BrokerError,
  invariant,
  type Connection,
  type ConnectionHandlers,
  type PeerCertificate,
} from '@tandemmq/base'
import type { ReusedMemory } from './reused-memory.ts'

/** A TCP socket, or one with TLS whose handshake is over, behind the {@link Connection} port. */
export class NodeConnection implements Connection {
  readonly remote: string
  readonly peerCertificate: PeerCertificate | undefined
  readonly #socket: Socket
  readonly #queuedBytesMax: number
  readonly #memory: ReusedMemory | undefined
  #failure: Error | undefined
  #started = false

  /** @param memory what the socket reads into, if it was made with any; it is paused then */
  constructor(
    socket: Socket,
    queuedBytesMax: number,
    peerCertificate?: PeerCertificate,
    memory?: ReusedMemory,
  ) {
    this.peerCertificate = peerCertificate
    this.#socket = socket
    this.#queuedBytesMax = queuedBytesMax
    this.#memory = memory
    this.remote = hostAndPort(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0)
    socket.setNoDelay(true)
    socket.on('error', (failure) => {
      this.#failure ??= failure
    })
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  start(handlers: ConnectionHandlers): void {
    invariant(!this.#started, 'a connection is started once')
    this.#started = true
    const socket = this.#socket
    if (socket.closed) {
      queueMicrotask(() => handlers.closed(this.#failure))
      return
    }
    if (this.#memory === undefined) socket.on('data', (chunk: Buffer) => handlers.data(chunk))
    else {
      this.#memory.taker = (chunk) => handlers.data(chunk)
      socket.resume()
    }
    socket.on('drain', () => handlers.drained())
    socket.once('close', () => handlers.closed(this.#failure))
  }

  write(...parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    if (!socket.writable) return false
    if (parts.length === 1) {
      const [only] = parts
      if (only !== undefined) socket.write(only)
    } else {
      socket.cork()
      for (const part of parts) socket.write(part)
      socket.uncork()
    }
    if (socket.writableLength > this.#queuedBytesMax) {
      this.destroy(new BrokerError('SYSTEM_BUSY', `${this.remote} does not take what it is sent`))
      return false
    }
    return !socket.writableNeedDrain
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(cause?: Error): void {
    this.#failure ??= cause
    this.#socket.destroy()
  }
}

/** `host:port`, with an IPv6 host in brackets and an IPv4 host that came in over IPv6 in its own form. */
export function hostAndPort(host: string, port: number): string {
  const plain = host.startsWith('::ffff:') && host.includes('.') ? host.slice('::ffff:'.length) : host
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
