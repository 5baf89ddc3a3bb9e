import type { Address, Connection, ConnectionHandlers, Listener, Net } from '@tandemmq/base'

/** One connection whose other end is the test: what is fed comes in, what is written is kept. */
export class Wire implements Net, Connection {
  readonly remote = 'golden:1'
  readonly queuedBytes = 0
  written = Buffer.alloc(0)
  isClosed = false
  #handlers: ConnectionHandlers | undefined
  #accept: ((connection: Connection) => void) | undefined

  async listen(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    this.#accept = accept
    return { address, close: async () => {} }
  }

  async connect(): Promise<Connection> {
    return this
  }

  /** A client has connected to what listens here. */
  call(): void {
    this.#accept?.(this)
  }

  feed(bytes: Buffer): void {
    this.#handlers?.data(Buffer.from(bytes))
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
  }

  write(...parts: readonly Uint8Array[]): boolean {
    this.written = Buffer.concat([this.written, ...parts])
    return true
  }

  pause(): void {}

  resume(): void {}

  end(): void {
    this.destroy()
  }

  destroy(): void {
    this.isClosed = true
  }
}
