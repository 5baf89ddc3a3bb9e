import type { Socket } from 'node:net'
import { joinAddress, type Clock, type Logger, type Timer } from '@tandemmq/base'

/** The first byte of every TLS connection: record type `handshake` (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16
/** What every HTTP/2 client says first (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export interface GateLimits {
  /** Connections at once that have not said the preface yet; the oldest makes room. */
  readonly strangersMax: number
  /** How long they may take to say it. */
  readonly handshakeMs: number
}

/** TLS for connections that begin with it. */
export interface TlsPort {
  /** Nobody gets in without it. */
  readonly required: boolean
  /** Begins the handshake; calls back at most once, and never after the socket is closed. */
  begin(socket: Socket, end: { secured(socket: Socket): void; failed(why: Error): void }): void
}

export interface GatePorts {
  /** Absent: no TLS is spoken. */
  readonly tls?: TlsPort | undefined
  readonly clock: Clock
  /** Told of each stranger: a sparing one. */
  readonly logger: Logger
  /** A stranger was closed, for this reason. */
  readonly refused: (reason: string) => void
}

interface Stranger {
  readonly timer: Timer
  /** What it says is read from here: the socket, or the TLS inside of it. */
  stream: Socket
  readonly look: () => void
  hasHandshaken: boolean
  /** Less than a preface, between two chunks. */
  said: Buffer
}

/**
 * Where a connection waits until it has said the first bytes of HTTP/2. Until then it costs a socket and no session; if it says something else,
 * or nothing in time, it is closed and somebody is told.
 */
export class ConnectionGate {
  readonly #limits: GateLimits
  readonly #ports: GatePorts
  readonly #admit: (socket: Socket) => void
  /** The oldest first. */
  readonly #strangers = new Map<Socket, Stranger>()

  constructor(limits: GateLimits, ports: GatePorts, admit: (socket: Socket) => void) {
    this.#limits = limits
    this.#ports = ports
    this.#admit = admit
  }

  take(socket: Socket): void {
    const [oldest] = this.#strangers.keys()
    if (oldest !== undefined && this.#strangers.size >= this.#limits.strangersMax) {
      this.#refuse(oldest, 'crowded', 'too many connections have not said who they are')
    }
    const { handshakeMs } = this.#limits
    const look = (): void => this.#look(socket)
    const late = (): void => this.#refuse(socket, 'late', `no HTTP/2 within ${handshakeMs} ms`)
    this.#strangers.set(socket, {
      stream: socket,
      look,
      hasHandshaken: false,
      said: Buffer.alloc(0),
      timer: this.#ports.clock.after(handshakeMs, late),
    })
    socket.on('readable', look)
    socket.once('close', () => this.#forget(socket))
  }

  /** Whoever has not said who they are is hung up on, and tries another address. The listener must be closed. */
  close(): void {
    for (const socket of this.#strangers.keys()) socket.destroy()
  }

  #look(socket: Socket): void {
    const stranger = this.#strangers.get(socket)
    const chunk: unknown = stranger?.stream.read()
    if (stranger === undefined || !Buffer.isBuffer(chunk)) return
    const said = Buffer.concat([stranger.said, chunk])
    stranger.said = said
    if (!stranger.hasHandshaken) {
      const { tls } = this.#ports
      if (said[0] === TLS_HANDSHAKE && tls !== undefined) return this.#shakeHands(socket, stranger, tls)
      if (tls?.required === true) return this.#refuse(socket, 'plain', 'this port speaks TLS only')
    }
    const length = Math.min(said.length, PREFACE.length)
    if (!said.subarray(0, length).equals(PREFACE.subarray(0, length))) {
      const words = said[0] === TLS_HANDSHAKE ? 'this port speaks no TLS' : 'this port speaks HTTP/2'
      this.#refuse(socket, 'other-protocol', words)
      return
    }
    if (length < PREFACE.length) return
    this.#forget(socket)
    // The session finds it as it came.
    stranger.stream.unshift(said)
    this.#admit(stranger.stream)
  }

  /** It stays a stranger: a handshake that is over is no HTTP/2 yet. */
  #shakeHands(socket: Socket, stranger: Stranger, tls: TlsPort): void {
    socket.off('readable', stranger.look)
    socket.unshift(stranger.said)
    stranger.said = Buffer.alloc(0)
    tls.begin(socket, {
      secured: (secured) => {
        secured.on('error', () => socket.destroy())
        if (!this.#strangers.has(socket)) return
        stranger.stream = secured
        stranger.hasHandshaken = true
        secured.on('readable', stranger.look)
      },
      failed: ({ message }) => this.#refuse(socket, 'tls', message),
    })
  }

  #refuse(socket: Socket, reason: string, words: string): void {
    if (!this.#strangers.has(socket)) return
    this.#forget(socket)
    const { remoteAddress = 'unknown', remotePort = 0 } = socket
    const facts = { peer: joinAddress(remoteAddress, remotePort), port: socket.localPort, reason, words }
    this.#ports.logger.warn(facts, 'a connection was closed that is no gRPC')
    this.#ports.refused(reason)
    socket.destroy()
  }

  #forget(socket: Socket): void {
    const stranger = this.#strangers.get(socket)
    if (stranger === undefined) return
    this.#strangers.delete(socket)
    stranger.timer.cancel()
    stranger.stream.off('readable', stranger.look)
  }
}
