import { BrokerError } from '@tandemmq/base'
import type { Clock, Connection, LogOffset } from '@tandemmq/base'
import { DownwardReader, HandshakeReader, decodeAnswer, decodeHello, encodeControlUp } from '@tandemmq/codec'
import type { Answer, Control, HandshakeMessage, ReceivedHello } from '@tandemmq/codec'
import type { ReplicatedLog } from './replicated-log.ts'
import { WriteSide, defaultWriteLimits } from './write-side.ts'

/** What a slave's connection tells its owner. Nothing more is told after the owner has closed it. */
export interface SlaveConnectionEvents {
  masterHello(received: ReceivedHello): void
  answer(answer: Answer): void
  frame(offset: number, size: number): void
  /** `bytes` is only lent. */
  piece(offset: number, bytes: Buffer): void
  control(control: Control): void
  /** All that has come in so far has been told. */
  caughtUp(): void
  violation(words: string): void
  closed(words: string | undefined): void
}

/** Time that a master has to read why we go away. */
export interface Parting {
  after(delayMs: number, task: () => void): unknown
}

const PARTING_MS = 1_000
/** No control frame is queued behind so much: a master that asks and does not read costs no more. */
const QUEUED_BYTES_MAX = 64 * 1024

/** A slave's socket: cuts what comes in into messages, frames and pieces, and stops telling once it is closed. */
export class SlaveConnection {
  readonly #connection: Connection
  readonly #on: SlaveConnectionEvents
  readonly #downward = new DownwardReader()
  #handshake = new HandshakeReader()
  #lender: WriteSide | undefined
  /** `waiting`: answered; what comes in is kept until the owner is ready for the stream. */
  #phase: 'handshake' | 'waiting' | 'stream' | 'closed'

  constructor(connection: Connection, protocol: 'tandemmq' | 'apache', on: SlaveConnectionEvents) {
    this.#connection = connection
    this.#on = on
    this.#phase = protocol === 'apache' ? 'stream' : 'handshake'
  }

  start(): void {
    this.#connection.start({
      data: (chunk) => this.#guarded(() => this.#push(chunk)),
      drained: () => this.#lender?.drained(),
      closed: (cause) => {
        if (this.#phase === 'closed') return
        this.#phase = 'closed'
        this.#lender?.stop()
        this.#on.closed(cause?.message)
      },
    })
  }

  write(bytes: Buffer): void {
    if (this.#phase !== 'closed') this.#connection.write(bytes)
  }

  /** Dropped if the master reads nothing. */
  control(control: Control): void {
    if (this.#phase === 'closed' || this.#connection.queuedBytes >= QUEUED_BYTES_MAX) return
    this.#connection.write(encodeControlUp(control))
  }

  /** Sends frames of `log` from `at` to its end, as a master does (rule 3.2). `unreadable` tells why it stops before. */
  lend(
    at: LogOffset,
    ports: { readonly log: ReplicatedLog; readonly clock: Clock },
    unreadable: (words: string) => void,
  ): void {
    this.#lender = new WriteSide(this.#connection, ports, defaultWriteLimits, { sent: () => {}, unreadable })
    this.#lender.start(at)
  }

  lendHeartbeat(): void {
    this.#lender?.heartbeat()
  }

  /** The master's answer stands: what follows is its stream. */
  startStream(): void {
    if (this.#phase !== 'waiting') return
    this.#phase = 'stream'
    this.#connection.resume()
    this.#guarded(() => this.#takeUnits())
  }

  /** `parting`: sends what is queued first, if the master takes it in time. */
  close(parting?: Parting): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#lender?.stop()
    if (parting === undefined) return this.#connection.destroy()
    this.#connection.end()
    parting.after(PARTING_MS, () => this.#connection.destroy())
  }

  #guarded(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      if (this.#phase !== 'closed') this.#on.violation(error.message)
    }
  }

  #push(chunk: Buffer): void {
    switch (this.#phase) {
      case 'handshake':
        return this.#pushHandshake(chunk)
      case 'waiting':
        return this.#downward.feed(Buffer.from(chunk)) // The chunk is only lent.
      case 'stream':
        this.#downward.feed(chunk)
        return this.#takeUnits()
      case 'closed':
    }
  }

  #pushHandshake(chunk: Buffer): void {
    const taken = this.#handshake.push(chunk)
    if (taken === undefined) return
    this.#handshake = new HandshakeReader()
    this.#takeMessage(taken.message)
    if (taken.rest.length > 0) this.#push(taken.rest)
  }

  #takeMessage({ kind, body }: HandshakeMessage): void {
    switch (kind) {
      case 'master-hello':
        return this.#on.masterHello(decodeHello(body))
      case 'answer':
        this.#phase = 'waiting'
        this.#connection.pause()
        return this.#on.answer(decodeAnswer(body))
      case 'slave-hello':
      case 'proof':
        throw new BrokerError('PROTOCOL_VIOLATION', `a ${kind} from a master`)
    }
  }

  #takeUnits(): void {
    while (this.#phase === 'stream') {
      const unit = this.#downward.next()
      if (unit === undefined) return this.#on.caughtUp()
      if (unit.kind === 'frame') this.#on.frame(unit.offset, unit.size)
      else if (unit.kind === 'piece') this.#on.piece(unit.offset, unit.bytes)
      else this.#on.control(unit.control)
    }
  }
}
