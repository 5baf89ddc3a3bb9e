import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import {
  BrokerError,
  invariant,
  type Connection,
  type ConnectionHandlers,
  type PeerCertificate,
} from '@tandemmq/base'
import type { ReusedMemory } from './reused-memory.ts'
import { RecordGatherer } from './tls/record-gatherer.ts'

export interface NodeConnectionOptions {
  /** Who leaves more than this unread is hung up on. */
  readonly queuedBytesMax: number
  readonly peerCertificate?: PeerCertificate | undefined
  /** What the socket reads into, if it was made with any; it is paused then. */
  readonly memory?: ReusedMemory
  /** What `write` takes before it returns false, where that is to be more than the socket was made with. */
  readonly highWaterBytes?: number
}

/** A TCP socket, or one with TLS whose handshake is over, behind the {@link Connection} port. */
export class NodeConnection implements Connection {
  readonly remote: string
  readonly peerCertificate: PeerCertificate | undefined
  readonly #socket: Socket
  readonly #queuedBytesMax: number
  readonly #highWaterBytes: number
  readonly #memory: ReusedMemory | undefined
  #failure: Error | undefined
  /** Where the socket has TLS. */
  #gatherer: RecordGatherer | undefined
  /** Whether `drained` is waited for. */
  #isFull = false
  #started = false

  constructor(socket: Socket, options: NodeConnectionOptions) {
    this.#socket = socket
    this.peerCertificate = options.peerCertificate
    this.#queuedBytesMax = options.queuedBytesMax
    this.#highWaterBytes = options.highWaterBytes ?? 0
    this.#memory = options.memory
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
    const take = (chunk: Buffer): void => handlers.data(chunk)
    if (this.#memory !== undefined) {
      this.#memory.taker = take
      socket.resume()
    } else if (socket instanceof TLSSocket) {
      const gatherer = new RecordGatherer(take)
      this.#gatherer = gatherer
      socket.on('data', (chunk: Buffer) => gatherer.take(chunk))
    } else socket.on('data', take)
    socket.on('drain', () => {
      if (!this.#isFull) return
      this.#isFull = false
      handlers.drained()
    })
    socket.once('close', () => {
      this.#gatherer?.flush()
      handlers.closed(this.#failure)
    })
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
    this.#isFull = socket.writableNeedDrain && socket.writableLength >= this.#highWaterBytes
    return !this.#isFull
  }

  pause(): void {
    this.#gatherer?.pause()
    this.#socket.pause()
  }

  resume(): void {
    this.#gatherer?.resume()
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
