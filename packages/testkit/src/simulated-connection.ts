import { invariant, type Clock, type Connection, type ConnectionHandlers } from '@tandemmq/base'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedLink } from './simulated-link.ts'
import { SimulatedPipe } from './simulated-pipe.ts'
import { systemError } from './system-error.ts'

/** As Node's sockets: a write into a fuller buffer returns false. */
const BUFFER_FULL_BYTES = 64 * 1024

/** What a connection asks about the process it belongs to. */
export interface ConnectionOwner {
  readonly name: string
  /** Whether its code runs now (not frozen). */
  isAwake(): boolean
  /** Calls `task` as soon as the machine has power: usually now. */
  whenPowered(task: () => void): void
  forget(connection: SimulatedConnection): void
}

export interface ConnectionWiring {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly owner: ConnectionOwner
  readonly remote: string
  readonly outward: SimulatedLink
  readonly inward: SimulatedLink
}

/** One end of a simulated TCP connection. */
export class SimulatedConnection implements Connection {
  readonly remote: string
  readonly #wiring: ConnectionWiring
  readonly #out: SimulatedPipe
  #peer: SimulatedConnection | undefined
  #handlers: ConnectionHandlers | undefined
  #unread: Buffer[] = []
  #ended: 'fin' | 'reset' | undefined
  #paused = false
  #tellDrained = false
  #draining = false
  #state: 'open' | 'ending' | 'closed' | 'dead' = 'open'

  constructor(wiring: ConnectionWiring) {
    this.remote = wiring.remote
    this.#wiring = wiring
    this.#out = new SimulatedPipe(wiring.clock, wiring.random, wiring.outward, {
      arrived: (bytes) => this.#peer?.arrived(bytes),
      ended: (how) => this.#peer?.ended(how),
      emptied: () => this.#emptied(),
    })
  }

  /** Two ends of one connection. */
  static join(one: SimulatedConnection, other: SimulatedConnection): void {
    one.#peer = other
    other.#peer = one
  }

  get queuedBytes(): number {
    return this.#out.queuedBytes
  }

  /** Name of the host that this end belongs to. */
  get hostName(): string {
    return this.#wiring.owner.name
  }

  get peerHostName(): string {
    return this.#peer?.hostName ?? ''
  }

  start(handlers: ConnectionHandlers): void {
    invariant(this.#handlers === undefined, 'a connection is started once')
    this.#handlers = handlers
    this.wake()
  }

  write(...parts: readonly Uint8Array[]): boolean {
    if (this.#state !== 'open') return false
    this.#out.write(Buffer.concat(parts))
    if (this.#out.queuedBytes < BUFFER_FULL_BYTES) return true
    this.#tellDrained = true
    return false
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.wake()
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#out.finish()
  }

  destroy(cause?: Error): void {
    if (this.#state === 'closed' || this.#state === 'dead') return
    this.#out.abandon(this.#unread.length > 0 ? 'reset' : 'fin')
    this.#close(cause)
  }

  /** Hands over what has arrived, soon. Called when reading may have become possible. */
  wake(): void {
    if (this.#draining) return
    this.#draining = true
    this.#wiring.clock.after(0, () => {
      this.#draining = false
      this.#drain()
    })
  }

  /** The process is gone; its kernel says so to the peer (a power cut says nothing). */
  die(how: 'killed' | 'power'): void {
    if (this.#state === 'closed' || this.#state === 'dead') return
    if (how === 'power' || this.#wiring.outward.isCut) this.#out.silence()
    else this.#out.abandon(this.#unread.length > 0 || this.#wiring.random.chance(1, 2) ? 'reset' : 'fin')
    this.#state = 'dead'
  }

  /** A reset out of nowhere, seen by this end at once. */
  reset(): void {
    if (this.#state === 'closed' || this.#state === 'dead') return
    this.#out.silence()
    this.#close(systemError('ECONNRESET', 'read', this.remote))
  }

  /** Half-open in this direction: nothing written here arrives any more. */
  silence(): void {
    this.#out.silence()
  }

  /** Called by the peer's pipe. */
  arrived(bytes: Buffer): void {
    if (this.#state === 'dead') {
      // A kernel that does not know the connection answers with a reset.
      this.#wiring.owner.whenPowered(() => this.#wiring.outward.pass(() => this.#peer?.reset()))
      return
    }
    if (this.#state === 'closed') return
    this.#unread.push(bytes)
    this.#drain()
  }

  /** Called by the peer's pipe. */
  ended(how: 'fin' | 'reset'): void {
    if (this.#state === 'closed' || this.#state === 'dead') return
    this.#ended = how
    this.#drain()
  }

  #drain(): void {
    const readable = (): boolean =>
      !this.#paused &&
      this.#wiring.owner.isAwake() &&
      !this.#wiring.inward.isStalled &&
      this.#state !== 'dead'
    if (this.#handlers === undefined || !readable()) return
    if (this.#ended === 'reset') {
      this.#close(systemError('ECONNRESET', 'read', this.remote))
      return
    }
    while (this.#unread.length > 0 && this.#state !== 'closed' && readable()) {
      const chunk = Buffer.concat(this.#unread.splice(0))
      this.#peer?.consumed(chunk.length)
      this.#handlers.data(chunk)
    }
    if (this.#ended === 'fin' && this.#unread.length === 0 && this.#state !== 'closed' && readable()) {
      if (this.#state === 'open') this.#out.finish()
      this.#close()
    }
  }

  /** The receiver has read this many of our bytes. */
  consumed(count: number): void {
    this.#out.consumed(count)
  }

  #emptied(): void {
    if (!this.#tellDrained) return
    this.#tellDrained = false
    this.#wiring.clock.after(0, () => {
      if (this.#state === 'open') this.#handlers?.drained()
    })
  }

  #close(cause?: Error): void {
    this.#state = 'closed'
    this.#unread = []
    this.#wiring.owner.forget(this)
    this.#wiring.clock.after(0, () => {
      if (this.#state === 'closed') this.#handlers?.closed(cause)
    })
  }
}
