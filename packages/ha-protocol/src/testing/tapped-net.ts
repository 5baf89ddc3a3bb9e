import type { Address, Clock, Connection, ConnectionHandlers, Listener, Net } from '@tandemmq/base'

/** `up`: written by the one who has connected. */
export type Direction = 'up' | 'down'

/** What becomes of bytes on their way. */
export interface Passage {
  /** Passed on, in as many pieces. */
  readonly pieces: readonly Buffer[]
  /** Then the connection is broken. */
  readonly isBroken?: boolean
  /** Upwards: the writer sees the connection broken at once, its peer sees nothing, and gets these bytes when the writer has long gone on with another one. */
  readonly late?: { readonly bytes: Buffer; readonly afterMs: number }
}

/** What a test sees and does of the bytes that pass the connections of a host, which count from 1. */
export interface Tap {
  pass(direction: Direction, bytes: Buffer, connection: number): Passage
  closed?(connection: number): void
}

/** The net of one host, with a tap on all connections that it makes. */
export class TappedNet implements Net {
  readonly #net: Net
  readonly #tap: Tap
  readonly #clock: Clock
  #connections = 0

  constructor(net: Net, tap: Tap, clock: Clock) {
    this.#net = net
    this.#tap = tap
    this.#clock = clock
  }

  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    return this.#net.listen(address, accept)
  }

  async connect(address: Address, signal?: AbortSignal): Promise<Connection> {
    const connection = await this.#net.connect(address, signal)
    this.#connections += 1
    return new TappedConnection(connection, this.#tap, this.#clock, this.#connections)
  }
}

/** Long enough for the peer to do with late bytes what it will, ms. */
const LATE_END_MS = 2_000

class TappedConnection implements Connection {
  readonly #connection: Connection
  readonly #tap: Tap
  readonly #clock: Clock
  readonly #number: number
  #handlers: ConnectionHandlers | undefined

  constructor(connection: Connection, tap: Tap, clock: Clock, number: number) {
    this.#connection = connection
    this.#tap = tap
    this.#clock = clock
    this.#number = number
  }

  get remote(): string {
    return this.#connection.remote
  }

  get queuedBytes(): number {
    return this.#connection.queuedBytes
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    this.#connection.start({
      data: (chunk) => {
        if (this.#handlers === undefined) return
        const { pieces, isBroken } = this.#tap.pass('down', chunk, this.#number)
        for (const piece of pieces) if (piece.length > 0) this.#handlers?.data(piece)
        if (isBroken === true) this.#connection.destroy()
      },
      drained: () => this.#handlers?.drained(),
      closed: (cause) => this.#closed(cause),
    })
  }

  write(...parts: readonly Uint8Array[]): boolean {
    if (this.#handlers === undefined) return false
    const { pieces, isBroken, late } = this.#tap.pass('up', Buffer.concat(parts), this.#number)
    let hasRoom = true
    for (const piece of pieces) if (piece.length > 0) hasRoom = this.#connection.write(piece)
    // Not before what was written last is on its way.
    if (isBroken === true) this.#connection.end()
    if (late !== undefined) this.#speakLate(late.bytes, late.afterMs)
    return hasRoom
  }

  #speakLate(bytes: Buffer, afterMs: number): void {
    this.#clock.after(0, () => this.#closed(undefined))
    this.#clock.after(afterMs, () => this.#connection.write(bytes))
    this.#clock.after(afterMs + LATE_END_MS, () => this.#connection.destroy())
  }

  #closed(cause: Error | undefined): void {
    const handlers = this.#handlers
    if (handlers === undefined) return
    this.#handlers = undefined
    this.#tap.closed?.(this.#number)
    handlers.closed(cause)
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  end(): void {
    this.#connection.end()
  }

  destroy(cause?: Error): void {
    this.#connection.destroy(cause)
  }
}
