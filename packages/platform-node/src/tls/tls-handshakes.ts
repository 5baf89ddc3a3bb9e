import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { acceptFailure } from './tls-failure.ts'
import type { TlsCredentials } from './tls-credentials.ts'

export interface TlsHandshakeOptions {
  readonly credentials: TlsCredentials
  /** Who connects is asked for a certificate; whoever gets the connection judges what it proves. */
  readonly mutual: boolean
  /** Whatever happens, a handshake ends after this long. */
  readonly handshakeMs: number
  /** What is spoken inside (ALPN), if peers ask; default: nothing is said of it. */
  readonly protocols?: readonly string[]
}

/** How a handshake ends, unless its socket is closed before. */
export interface TlsHandshakeEnd {
  secured(socket: TLSSocket): void
  /** The socket is about to be closed. */
  failed(why: Error): void
}

/** TLS on sockets that somebody else has accepted, and has counted. */
export class TlsHandshakes {
  readonly #credentials: TlsCredentials
  readonly #server: Server
  #loaded: ReturnType<TlsCredentials['current']>
  /** Those under way, by what tells them apart. */
  readonly #running = new Map<string, TlsHandshakeEnd>()

  constructor({ credentials, mutual, handshakeMs, protocols }: TlsHandshakeOptions) {
    this.#credentials = credentials
    this.#loaded = credentials.current()
    this.#server = createServer({
      ...this.#loaded,
      requestCert: mutual,
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
      ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    })
    this.#server.on('secureConnection', (socket) => {
      const end = this.#running.get(endpointOf(socket))
      if (end === undefined) socket.destroy()
      else end.secured(socket)
    })
    this.#server.on('tlsClientError', (failure, socket) => {
      this.#running.get(endpointOf(socket))?.failed(acceptFailure(failure))
    })
  }

  /** What was read of the socket already has been put back. */
  begin(socket: Socket, end: TlsHandshakeEnd): void {
    const endpoint = endpointOf(socket)
    this.#running.set(endpoint, end)
    socket.once('close', () => this.#running.delete(endpoint))
    const current = this.#credentials.current()
    if (current !== this.#loaded) this.#server.setSecureContext(current)
    this.#loaded = current
    this.#server.emit('connection', socket)
  }
}

/** Tells sockets of one port apart as long as they live. */
function endpointOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
