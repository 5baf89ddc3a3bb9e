import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { invariant, type Connection, type ConnectionHandlers, type PeerCertificate } from '@tandemmq/base'
import { NodeConnection, hostAndPort } from '../node-connection.ts'
import { acceptFailure, spokePlainly } from './tls-failure.ts'

/** The first byte of every TLS connection: record type `handshake` (RFC 8446, 5.1). */
const HANDSHAKE = 0x16
/** How long a peer that was answered in plain text may take to read that. */
const PARTING_MS = 1_000

export interface AcceptedTlsLimits {
  readonly handshakeMs: number
  readonly queuedBytesMax: number
  /** What `write` takes before it returns false: Node gives TLS sockets that it accepts no mark of ours. */
  readonly highWaterBytes: number
}

export interface AcceptedTlsPorts {
  /** Begins the handshake on the socket; ends in {@link AcceptedTls.secured}, {@link AcceptedTls.failed} or the socket's end. */
  begin(socket: Socket): void
  /** What to say to a peer that begins in plain text, and with this byte. */
  answerInPlain(firstByte: number): Uint8Array | undefined
}

/**
 * A connection from its first instant on, so that one in the middle of its handshake counts as any other: first its first byte is looked at,
 * then the handshake runs, then it is what {@link NodeConnection} says.
 */
export class AcceptedTls implements Connection {
  readonly remote: string
  readonly #socket: Socket
  readonly #limits: AcceptedTlsLimits
  readonly #ports: AcceptedTlsPorts
  #handlers: ConnectionHandlers | undefined
  #failure: Error | undefined
  #secured: NodeConnection | undefined
  #hasSpoken = false
  #isPaused = false
  #deadline: NodeJS.Timeout

  constructor(socket: Socket, limits: AcceptedTlsLimits, ports: AcceptedTlsPorts) {
    this.#socket = socket
    this.#limits = limits
    this.#ports = ports
    this.remote = hostAndPort(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0)
    socket.setNoDelay(true)
    socket.on('error', (failure) => {
      this.#failure ??= failure
    })
    socket.once('close', () => this.#closed())
    socket.once('readable', () => this.#onFirstBytes())
    this.#deadline = this.#destroyAfter(limits.handshakeMs)
  }

  get peerCertificate(): PeerCertificate | undefined {
    return this.#secured?.peerCertificate
  }

  get queuedBytes(): number {
    return this.#secured?.queuedBytes ?? 0
  }

  start(handlers: ConnectionHandlers): void {
    invariant(this.#handlers === undefined, 'a connection is started once')
    this.#handlers = handlers
  }

  /** Nothing is sent before the peer has spoken: then the handshake is over. */
  write(...parts: readonly Uint8Array[]): boolean {
    return this.#secured?.write(...parts) ?? false
  }

  pause(): void {
    this.#isPaused = true
    this.#secured?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#secured?.resume()
  }

  end(): void {
    if (this.#secured === undefined) this.destroy()
    else this.#secured.end()
  }

  destroy(cause?: Error): void {
    this.#failure ??= cause
    if (this.#secured === undefined) this.#socket.destroy()
    else this.#secured.destroy(cause)
  }

  /** The handshake is over. */
  secured(socket: TLSSocket, peerCertificate: PeerCertificate | undefined): void {
    clearTimeout(this.#deadline)
    const secured = new NodeConnection(socket, { ...this.#limits, peerCertificate })
    if (this.#handlers === undefined || this.#socket.destroyed) return secured.destroy()
    this.#secured = secured
    secured.start(this.#handlers)
    if (this.#isPaused) secured.pause()
  }

  /** The handshake has failed: the socket is about to be closed. */
  failed(cause: Error): void {
    this.#failure ??= cause
  }

  #onFirstBytes(): void {
    const socket = this.#socket
    const first: unknown = socket.read()
    if (!Buffer.isBuffer(first)) return
    this.#hasSpoken = true
    if (first[0] === HANDSHAKE) {
      socket.unshift(first)
      return this.#ports.begin(socket)
    }
    this.#failure ??= spokePlainly()
    const answer = this.#ports.answerInPlain(first[0] ?? 0)
    if (answer === undefined) {
      socket.destroy()
      return
    }
    clearTimeout(this.#deadline)
    this.#deadline = this.#destroyAfter(PARTING_MS)
    socket.resume()
    socket.end(answer)
  }

  #closed(): void {
    clearTimeout(this.#deadline)
    if (this.#secured !== undefined) return
    if (this.#hasSpoken) this.#failure ??= acceptFailure(new Error('it ended before it was over'))
    this.#handlers?.closed(this.#failure)
  }

  #destroyAfter(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#socket.destroy(), delayMs)
  }
}
