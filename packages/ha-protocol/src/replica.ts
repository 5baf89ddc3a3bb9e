import type { LogOffset } from '@tandemmq/base'
import type { Control, Hello } from '@tandemmq/codec'
import { AckLatency } from './ack-latency.ts'
import { CopyRate } from './copy-rate.ts'

/** The connection behind a replica, as far as others have to do with it. */
export interface ReplicaHolder {
  /** `host:port` of the slave. */
  readonly remote: string
  /** Asks whether the slave is still there; `alive` is called if it answers. */
  probe(alive: () => void): void
  /** Closes the connection: another one takes its place. */
  evict(words: string): void
  /** What became of the rival for the identity that this connection claims. */
  rival(outcome: 'gone' | 'alive'): void
}

/** For status pages and metrics; ages in milliseconds, the rest in bytes of log offset. */
export interface ReplicaStatus {
  readonly identity: string
  readonly instanceId: string
  readonly address: string
  /** Whether its reports can complete sends. */
  readonly counted: boolean
  /** Rule 2.8: near enough and able enough that a send may count on it. */
  readonly known: boolean
  readonly sent: LogOffset
  readonly received: LogOffset
  readonly flushed: LogOffset | undefined
  readonly dispatched: LogOffset | undefined
  readonly lagBytes: number
  readonly heardAgoMs: number
  readonly connectedForMs: number
  readonly writable: boolean
  readonly problem: string | undefined
}

/** What rule 2.8 measures a replica by. */
export interface KnownLimits {
  readonly silenceMs: number
  /** `haMaxGapNotInSync` */
  readonly gapBytesMax: number
  readonly slaveTimeoutMs: number
}

/** By what a replica is known. */
export type ReplicaName = Pick<Hello, 'identity' | 'instanceId'>

/**
 * A gap that says nothing about how fast a replica copies: one message may have up to 7 MiB, and beside small ones, whose copying measures
 * the round trip and not the link, it would count as too far behind for as long as it is on its way.
 */
const SMALL_GAP_BYTES = 8 * 1024 * 1024

/** One slave that has been accepted, for as long as its connection lives. */
export class Replica {
  readonly peer: ReplicaName
  readonly holder: ReplicaHolder
  readonly #since: number
  readonly #rate = new CopyRate()
  #sent: LogOffset
  #received: LogOffset
  #heardAt: number
  #flushed: LogOffset | undefined
  #dispatched: LogOffset | undefined
  #writable = true
  #problem: string | undefined
  readonly #latency: AckLatency
  #enrolled = false
  #hasReported = false

  constructor(
    peer: ReplicaName,
    holder: ReplicaHolder,
    at: { readonly from: LogOffset; readonly now: number },
    acknowledged: (tookMs: number) => void,
  ) {
    const { from, now } = at
    this.peer = peer
    this.holder = holder
    this.#since = now
    this.#heardAt = now
    this.#sent = from
    this.#received = from
    this.#latency = new AckLatency(acknowledged)
  }

  get received(): LogOffset {
    return this.#received
  }

  /** Whether a position of this replica may complete a send: it has reported, and the roster knows it (rule 3.3). */
  get isCounted(): boolean {
    return this.#enrolled && this.#hasReported
  }

  enrolled(): void {
    this.#enrolled = true
  }

  sentUpTo(sent: LogOffset, now: number): void {
    if (sent > this.#received) this.#rate.sent(now)
    this.#latency.sent(sent, now)
    this.#sent = sent
  }

  reported(received: LogOffset, now: number): void {
    this.#rate.received(received - this.#received, this.#sent - received, now)
    this.#latency.reported(received, now)
    this.#received = received
    this.#hasReported = true
    this.#heardAt = now
  }

  noted(control: Control, now: number): void {
    this.#heardAt = now
    this.#flushed = control.flushed ?? this.#flushed
    this.#dispatched = control.dispatched ?? this.#dispatched
    if (control.writable === undefined) return
    this.#writable = control.writable
    this.#problem = control.writable ? undefined : (control.problem ?? 'the slave cannot write')
  }

  /** Rule 2.8. */
  isKnown(end: LogOffset, now: number, limits: KnownLimits): boolean {
    const gap = end - this.#received
    return (
      this.isCounted &&
      this.#writable &&
      now - this.#heardAt < limits.silenceMs &&
      gap < limits.gapBytesMax &&
      gap < Math.max(SMALL_GAP_BYTES, this.#rate.within(limits.slaveTimeoutMs))
    )
  }

  status(end: LogOffset, now: number, limits: KnownLimits): ReplicaStatus {
    return {
      identity: this.peer.identity,
      instanceId: this.peer.instanceId,
      address: this.holder.remote,
      counted: this.isCounted,
      known: this.isKnown(end, now, limits),
      sent: this.#sent,
      received: this.#received,
      flushed: this.#flushed,
      dispatched: this.#dispatched,
      lagBytes: Math.max(0, end - this.#received),
      heardAgoMs: now - this.#heardAt,
      connectedForMs: now - this.#since,
      writable: this.#writable,
      problem: this.#problem,
    }
  }
}
