import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import {
  joinAddress,
  type Address,
  type Connection,
  type Listener,
  type Net,
  type PeerCertificate,
} from '@tandemmq/base'
import { NodeConnection } from '../node-connection.ts'
import { netLimits, type NetLimits, type NodeNetOptions } from '../node-net.ts'
import { connected } from '../socket-connect.ts'
import { listenForSockets } from '../socket-listener.ts'
import { AcceptedTls } from './accepted-tls.ts'
import { uriNamesOf } from './certificate-names.ts'
import { TlsHandshakes } from './tls-handshakes.ts'
import type { TlsCredentials } from './tls-credentials.ts'
import { certificateProblem, dialFailure } from './tls-failure.ts'

export interface TlsNetOptions extends NodeNetOptions {
  readonly credentials: TlsCredentials
  /** Who connects is asked for a certificate. What it proves is for the owner of the connection to judge; see {@link Connection.peerCertificate}. */
  readonly mutual: boolean
  /** What to say to a peer that begins in plain text, and with this byte; default: nothing. */
  readonly answerInPlain?: (firstByte: number) => Uint8Array | undefined
  /** How long a handshake may take of a peer that connects; default 10,000. */
  readonly handshakeMs?: number
}

/**
 * TCP with TLS 1.3. Where we connect, the certificate must be signed by an authority that we trust, and be for the host that was dialled.
 */
export class TlsNet implements Net {
  readonly #options: TlsNetOptions
  readonly #limits: NetLimits

  constructor(options: TlsNetOptions) {
    this.#options = options
    this.#limits = netLimits(options)
  }

  async listen(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const { credentials, mutual, answerInPlain, handshakeMs = 10_000 } = this.#options
    const handshakes = new TlsHandshakes({ credentials, mutual, handshakeMs })
    const limits = { ...this.#limits, handshakeMs }
    return listenForSockets(address, this.#limits, (socket) => {
      const connection: AcceptedTls = new AcceptedTls(socket, limits, {
        begin: (it) =>
          handshakes.begin(it, {
            secured: (tls) => connection.secured(tls, mutual ? certificateOf(tls) : undefined),
            failed: (why) => connection.failed(why),
          }),
        answerInPlain: (firstByte) => answerInPlain?.(firstByte),
      })
      accept(connection)
    })
  }

  async connect({ host, port }: Address, signal?: AbortSignal): Promise<Connection> {
    const options = { ...this.#options.credentials.current(), host, port }
    let isReached = false
    const dial = (): TLSSocket => {
      const socket = connect({ ...options, ...(isIP(host) === 0 && { servername: host }) })
      socket.once('connect', () => (isReached = true))
      return socket
    }
    try {
      const socket = await connected(dial, 'secureConnect', signal)
      const { queuedBytesMax } = this.#limits
      return new NodeConnection(socket, { queuedBytesMax, peerCertificate: certificateOf(socket) })
    } catch (failure) {
      if (!isReached || signal?.aborted === true || !(failure instanceof Error)) throw failure
      throw dialFailure(joinAddress(host, port), failure)
    }
  }
}

function certificateOf(socket: TLSSocket): PeerCertificate {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate()
  if (certificate === undefined) return { names: [], problem: 'is missing' }
  const names = uriNamesOf(certificate)
  if (socket.authorized) return { names }
  const code = String(socket.authorizationError)
  return { names, problem: certificateProblem(code) ?? `is not accepted (${code})` }
}
