import { BrokerError } from '@tandemmq/base'
import type { Clock, Connection, LogOffset, Timer } from '@tandemmq/base'
import { encodeControlDown, encodeFrameHeader } from '@tandemmq/codec'
import type { Control } from '@tandemmq/codec'
import type { ReplicatedLog } from './replicated-log.ts'
import { TransferPace } from './transfer-pace.ts'

export interface WriteLimits {
  /** The largest frame body. A frame holds as much backlog as there is, up to this. */
  readonly frameBytesMax: number
  /** The log is not read while this much waits in the socket: a slave that does not read costs no more. */
  readonly queuedBytesMax: number
  /** Log bytes to one slave; absent: as fast as its socket takes them. */
  readonly bytesPerSecond?: number
}

export interface WriteEvents {
  /** Log bytes below `next` are in the socket's hands. */
  sent(next: LogOffset): void
  /** The log could not be read at our position, for instance because it is no longer kept. */
  unreadable(words: string): void
}

export const defaultWriteLimits: WriteLimits = { frameBytesMax: 1024 * 1024, queuedBytesMax: 1024 * 1024 }

/** Nobody waits for a confirmed position, but consumers of a slave that serves while its master is there. */
const CONFIRM_WITHIN_MS = 1

/**
 * The sending half of a master's connection: log bytes from a position on, as fast as the socket takes them. Woken
 * by appends and by `drained`; one write per turn carries everything that came up in it, in one frame.
 */
export class WriteSide {
  readonly #connection: Connection
  readonly #log: ReplicatedLog
  readonly #clock: Clock
  readonly #limits: WriteLimits
  readonly #on: WriteEvents
  /** While it reads a file, everything else that is to be said waits for that. */
  #state: 'idle' | 'woken' | 'reading' | 'blocked' | 'stopped' = 'idle'
  #next: LogOffset | undefined
  #heartbeatDue = false
  #confirmed: LogOffset | undefined
  #confirmedSent: LogOffset | undefined
  #endSent: LogOffset | undefined
  /** Not sent yet, however long the socket takes nothing. */
  #roster: Required<Pick<Control, 'roster' | 'forgotten'>> | undefined
  #later: Timer | undefined
  #confirming: Timer | undefined
  /** What is read from files is read into this, again and again, while a slave is far behind. */
  #scratch: Buffer | undefined
  readonly #pace: TransferPace | undefined

  constructor(
    connection: Connection,
    ports: { readonly log: ReplicatedLog; readonly clock: Clock },
    limits: WriteLimits,
    on: WriteEvents,
  ) {
    this.#connection = connection
    this.#log = ports.log
    this.#clock = ports.clock
    this.#limits = limits
    this.#on = on
    const { bytesPerSecond } = limits
    if (bytesPerSecond !== undefined) this.#pace = new TransferPace(bytesPerSecond, ports.clock.monotonic())
  }

  /** From here on log bytes flow, the first at `at`. */
  start(at: LogOffset): void {
    this.#next = at
    this.wake()
  }

  /** Something may be there to send: looks at the end of this turn. */
  wake(): void {
    if (this.#state !== 'idle') return
    this.#state = 'woken'
    queueMicrotask(() => this.#pump())
  }

  /** The socket has taken everything. */
  drained(): void {
    if (this.#state !== 'blocked') return
    this.#state = 'idle'
    this.wake()
  }

  /** The confirmed position, sent with the next log bytes, or a moment later where none come: a write of its own costs as much as theirs. */
  confirm(position: LogOffset): void {
    this.#confirmed = position
    this.#confirming ??= this.#clock.after(CONFIRM_WITHIN_MS, () => {
      this.#confirming = undefined
      this.wake()
    })
  }

  /** Who has, or had, this log, and who of them is gone for good, sent with whatever comes next. */
  roster(roster: readonly string[], forgotten: readonly string[]): void {
    this.#roster = { roster, forgotten }
    this.wake()
  }

  /** A heartbeat, unless something else is said in this turn; none into a socket that takes nothing. */
  heartbeat(): void {
    this.#heartbeatDue = true
    this.wake()
  }

  /** At once, ahead of log bytes not yet written; dropped if the socket takes nothing. Returns whether it was not. */
  control(control: Control): boolean {
    if (this.#state === 'stopped' || this.#isFull) return false
    this.#connection.write(encodeControlDown(control, this.#next ?? 0))
    return true
  }

  stop(): void {
    this.#state = 'stopped'
    this.#later?.cancel()
    this.#confirming?.cancel()
  }

  get #isFull(): boolean {
    return this.#connection.queuedBytes >= this.#limits.queuedBytesMax
  }

  #pump(): void {
    if (this.#state !== 'woken') return
    this.#state = 'idle'
    try {
      const body = this.#next === undefined ? [] : this.#read(this.#next)
      if (body instanceof Promise) this.#writeLater(body)
      else this.#write(this.#parts(body))
    } catch (error) {
      this.#failed(error)
    }
  }

  #writeLater(reading: Promise<Buffer>): void {
    this.#state = 'reading'
    reading
      .then((bytes) => {
        if (this.#state !== 'reading') return
        this.#state = 'idle'
        this.#pace?.took(bytes.length)
        this.#write(this.#parts([bytes]))
      })
      .catch((error: unknown) => {
        if (this.#state === 'stopped') return
        this.#state = 'idle'
        this.#failed(error)
      })
  }

  #failed(error: unknown): void {
    if (!(error instanceof BrokerError)) throw error
    this.#on.unreadable(error.message)
  }

  #write(parts: readonly Buffer[]): void {
    if (parts.length === 0) {
      if (this.#next !== undefined && this.#next < this.#log.end) this.#pumpLater()
      return
    }
    const hasRoom = this.#connection.write(...parts)
    if (!hasRoom) this.#state = 'blocked'
    if (this.#next === undefined) return
    this.#on.sent(this.#next)
    if (this.#state === 'idle' && this.#next < this.#log.end) this.#pumpLater()
  }

  /** More than one frame waits: the event loop gets its turn in between, and the pace is kept. */
  #pumpLater(): void {
    this.#state = 'woken'
    this.#later = this.#clock.after(this.#pace?.waitMs ?? 0, () => this.#pump())
  }

  #parts(body: readonly Buffer[]): Buffer[] {
    const at = this.#next
    const parts: Buffer[] = []
    if (this.#roster !== undefined) {
      const { roster, forgotten } = this.#roster
      parts.push(encodeControlDown({ roster }, at ?? 0))
      if (forgotten.length > 0) parts.push(encodeControlDown({ forgotten }, at ?? 0))
      this.#roster = undefined
    }
    // Whoever was never given a confirmed position is not one of ours.
    const isEndNews = this.#heartbeatDue && this.#endSent !== this.#log.end
    if (this.#confirmed !== undefined && (this.#confirmed !== this.#confirmedSent || isEndNews)) {
      const { end } = this.#log
      parts.push(encodeControlDown({ confirmed: this.#confirmed, end }, at ?? 0))
      this.#confirmedSent = this.#confirmed
      this.#endSent = end
    }
    if (at !== undefined && body.length > 0) {
      const size = body.reduce((sum, { length }) => sum + length, 0)
      parts.push(encodeFrameHeader(at, size), ...body)
      this.#next = at + size
      if (this.#next === this.#log.end) this.#scratch = undefined // From here on it is the tail that is sent, which is in memory.
    } else if (this.#heartbeatDue && at !== undefined && parts.length === 0) {
      parts.push(encodeFrameHeader(at, 0))
    }
    this.#heartbeatDue = false
    return parts
  }

  /** A frame never crosses a segment end. It may lie in several pieces of the tail's memory: what one turn appended is not left to another. */
  #read(at: LogOffset): Buffer[] | Promise<Buffer> {
    const { end, segmentBytes } = this.#log
    if (at >= end) return []
    const frame = Math.min(end - at, this.#limits.frameBytesMax, segmentBytes - (at % segmentBytes))
    const size = Math.min(frame, this.#pace?.allowed(this.#clock.monotonic()) ?? frame)
    if (size <= 0) return []
    const memory = this.#memory()
    const later = this.#log.readLater?.(at, size, memory)
    if (later !== undefined) return later
    const pieces: Buffer[] = []
    let done = 0
    while (done < size) {
      const piece = this.#log.read(at + done, size - done, done === 0 ? memory : undefined)
      pieces.push(piece)
      done += piece.length
    }
    this.#pace?.took(done)
    return pieces
  }

  /** Memory to read a file into; undefined while the socket holds what came from there before. */
  #memory(): (() => Buffer) | undefined {
    if (this.#connection.queuedBytes > 0) return undefined
    return () => (this.#scratch ??= Buffer.allocUnsafeSlow(this.#limits.frameBytesMax))
  }
}
