export interface Address {
  readonly host: string
  /** 0 when listening means: any free port. */
  readonly port: number
}

export interface ConnectionHandlers {
  /** `chunk` is only lent: the next one may come in the same memory. */
  data(chunk: Buffer): void
  /** The write buffer has emptied after {@link Connection.write} returned false. */
  drained(): void
  /**
   * Called exactly once; nothing is called afterwards. `cause` is absent when the peer or we ended it cleanly, and `PEER_REFUSED` when the
   * connection was to be encrypted and that failed.
   */
  closed(cause?: Error): void
}

/** What is known of the certificate that the peer of an encrypted connection was asked for. */
export interface PeerCertificate {
  /** The `URI` entries of its subject alternative name. */
  readonly names: readonly string[]
  /** Why it proves nothing, in words: absent, expired, signed by nobody we trust. */
  readonly problem?: string
}

/** One TCP connection. */
export interface Connection {
  /** `host:port` of the peer. */
  readonly remote: string
  /** From the first data on, where the connection is encrypted and the peer was asked for a certificate. */
  readonly peerCertificate?: PeerCertificate | undefined
  /** Starts the flow of events; call it once, in the turn in which the connection was received. */
  start(handlers: ConnectionHandlers): void
  /** Queues the parts in order, as one write. False: the buffer is full, wait for `drained`. The parts must not change afterwards. */
  write(...parts: readonly Uint8Array[]): boolean
  /** Bytes queued and not yet handed to the system. */
  readonly queuedBytes: number
  pause(): void
  resume(): void
  /** Sends what is queued, then ends. */
  end(): void
  /** Ends at once. */
  destroy(cause?: Error): void
}

export interface Listener {
  readonly address: Address
  /** Stops accepting and destroys what was accepted. */
  close(): Promise<void>
}

export interface Net {
  /** Rejects with the system's error (`EADDRINUSE`). */
  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener>
  /** Rejects with the system's error, with `PEER_REFUSED` if it is to be encrypted and cannot be, or when `signal` aborts. */
  connect(address: Address, signal?: AbortSignal): Promise<Connection>
}
