export interface Address {
  readonly host: string
  /** 0 when listening means: any free port. */
  readonly port: number
}

export interface ConnectionHandlers {
  /** `chunk` is the receiver's to keep. */
  data(chunk: Buffer): void
  /** The write buffer has emptied after {@link Connection.write} returned false. */
  drained(): void
  /** Called exactly once; nothing is called afterwards. `cause` is absent when the peer or we ended it cleanly. */
  closed(cause?: Error): void
}

/** One TCP connection. */
export interface Connection {
  /** `host:port` of the peer. */
  readonly remote: string
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
  /** Rejects with the system's error, or when `signal` aborts. */
  connect(address: Address, signal?: AbortSignal): Promise<Connection>
}
