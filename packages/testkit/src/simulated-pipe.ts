import type { Clock } from '@tandemmq/base'
import type { SimulatedLink } from './simulated-link.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Bytes that may be on the way or unread at the receiver: the TCP window. */
const WINDOW_BYTES = 64 * 1024

interface Packet {
  readonly bytes?: Buffer
  readonly end?: 'fin' | 'reset'
  readonly at: number
}

/** What a pipe tells its two ends. */
export interface PipeEnds {
  /** Bytes have arrived at the receiver's kernel. */
  arrived(bytes: Buffer): void
  ended(how: 'fin' | 'reset'): void
  /** All that was queued is on its way. */
  emptied(): void
}

/** One direction of a connection: ordered, split anywhere, with a window and a queue before it. */
export class SimulatedPipe {
  readonly #clock: Clock
  readonly #random: SeededRandom
  readonly #link: SimulatedLink
  readonly #ends: PipeEnds
  #queue: Buffer[] = []
  #queuedBytes = 0
  #windowUsed = 0
  #finQueued = false
  #flight: Packet[] = []
  #lastArrival = 0
  #silent = false
  #moving = false

  constructor(clock: Clock, random: SeededRandom, link: SimulatedLink, ends: PipeEnds) {
    this.#clock = clock
    this.#random = random
    this.#link = link
    this.#ends = ends
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    this.#fill()
  }

  /** After everything queued, the receiver is told that nothing more comes. */
  finish(): void {
    this.#finQueued = true
    this.#fill()
  }

  /** Drops what is queued; what is on the way arrives, then the end. */
  abandon(how: 'fin' | 'reset'): void {
    this.#queue = []
    this.#queuedBytes = 0
    this.#send({ end: how, at: this.#arrival() })
  }

  /** Half-open: nothing arrives any more, and nobody is told. */
  silence(): void {
    this.#silent = true
    this.#flight = []
  }

  /**
   * The receiver has read `count` bytes. The window opens by halves, as TCP's does (RFC 1122, 4.2.3.3): otherwise a stream, once cut into pieces, would
   * stay cut, and go in ever smaller ones.
   */
  consumed(count: number): void {
    this.#windowUsed -= count
    if (this.#windowUsed <= WINDOW_BYTES / 2) this.#fill()
  }

  #fill(): void {
    const hadQueue = this.#queuedBytes > 0
    while (this.#queuedBytes > 0 && this.#windowUsed < WINDOW_BYTES) {
      const bytes = this.#take(WINDOW_BYTES - this.#windowUsed)
      this.#windowUsed += bytes.length
      this.#send({ bytes, at: this.#arrival() })
    }
    if (hadQueue && this.#queuedBytes === 0) this.#ends.emptied()
    if (this.#finQueued && this.#queuedBytes === 0) {
      this.#finQueued = false
      this.#send({ end: 'fin', at: this.#arrival() })
    }
  }

  /** Up to `limit` bytes from the queue; every fourth packet is cut at an odd place. */
  #take(limit: number): Buffer {
    const all = this.#queue.length === 1 && this.#queue[0] ? this.#queue[0] : Buffer.concat(this.#queue)
    const whole = Math.min(limit, all.length)
    const count = this.#random.chance(1, 4) ? this.#random.between(1, whole) : whole
    this.#queue = count === all.length ? [] : [all.subarray(count)]
    this.#queuedBytes -= count
    return Buffer.from(all.subarray(0, count))
  }

  #arrival(): number {
    this.#lastArrival = Math.max(this.#lastArrival, this.#clock.monotonic() + this.#link.nextDelay())
    return this.#lastArrival
  }

  #send(packet: Packet): void {
    if (this.#silent) return
    this.#flight.push(packet)
    this.#move()
  }

  #move(): void {
    const head = this.#flight[0]
    if (head === undefined || this.#moving) return
    this.#moving = true
    this.#clock.after(Math.max(0, head.at - this.#clock.monotonic()), () => {
      if (!this.#link.isCut) {
        this.#moving = false
        this.#deliver()
        this.#move()
        return
      }
      this.#link.whenPassable(() => {
        this.#moving = false
        this.#move()
      })
    })
  }

  #deliver(): void {
    const packet = this.#flight.shift()
    if (packet === undefined) return // Silenced meanwhile.
    if (packet.bytes) this.#ends.arrived(packet.bytes)
    if (packet.end) this.#ends.ended(packet.end)
  }
}
