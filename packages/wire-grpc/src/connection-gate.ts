import type { Socket } from 'node:net'
import { joinAddress, type Clock, type Logger, type Timer } from '@tandemmq/base'

/** What every HTTP/2 client says first (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export interface GateLimits {
  /** Connections at once that have not said the preface yet; the oldest makes room. */
  readonly strangersMax: number
  /** How long they may take to say it. */
  readonly handshakeMs: number
}

export interface GatePorts {
  readonly clock: Clock
  /** Told of each stranger: a sparing one. */
  readonly logger: Logger
  /** A stranger was closed, for this reason. */
  readonly refused: (reason: string) => void
}

interface Stranger {
  readonly timer: Timer
  readonly look: () => void
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
      look,
      said: Buffer.alloc(0),
      timer: this.#ports.clock.after(handshakeMs, late),
    })
    socket.on('readable', look)
    socket.once('close', () => this.#forget(socket))
  }

  #look(socket: Socket): void {
    const stranger = this.#strangers.get(socket)
    const chunk: unknown = socket.read()
    if (stranger === undefined || !Buffer.isBuffer(chunk)) return
    const said = Buffer.concat([stranger.said, chunk])
    stranger.said = said
    const length = Math.min(said.length, PREFACE.length)
    if (!said.subarray(0, length).equals(PREFACE.subarray(0, length))) {
      this.#refuse(socket, 'other-protocol', 'this port speaks HTTP/2 without TLS')
      return
    }
    if (length < PREFACE.length) return
    this.#forget(socket)
    // The session finds it as it came.
    socket.unshift(said)
    this.#admit(socket)
  }

  #refuse(socket: Socket, reason: string, words: string): void {
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
    socket.off('readable', stranger.look)
  }
}
