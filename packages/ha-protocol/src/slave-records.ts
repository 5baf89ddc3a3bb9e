import type { LogOffset } from '@tandemmq/base'
import type { Refusal } from '@tandemmq/codec'
import { LatencyHistogram } from './latency-histogram.ts'
import type { LatencySummary } from './latency-histogram.ts'
import { RangeVerification } from './range-verification.ts'
import type { VerificationView } from './range-verification.ts'
import { ReasonCounts } from './reason-counts.ts'
import type { Replica } from './replica.ts'

/**
 * `in sync`: a send may count on it. `behind`: its reports complete sends, but it is too far back, silent, or cannot write. `not counted`:
 * it is served only. `away`: it has been here. `refused`: it has proven who it is, and was not accepted or broke the protocol.
 */
export type SlaveStanding = 'in sync' | 'behind' | 'not counted' | 'away' | 'refused'

/** A slave as its master has known it since the master's start, connected or not. Positions are bytes of log offset. */
export interface SlaveView {
  readonly identity: string
  readonly address: string
  readonly state: SlaveStanding
  readonly sent: LogOffset
  readonly received: LogOffset
  readonly flushed: LogOffset | undefined
  readonly dispatched: LogOffset | undefined
  readonly lagBytes: number
  /** Age of the first byte it lacks, ms. */
  readonly lagMs: number
  /** `undefined`: never. */
  readonly heardAgoMs: number | undefined
  /** How often it was accepted. */
  readonly connects: number
  /** How often it was refused or hung up on, by reason. */
  readonly refusals: ReadonlyMap<string, number>
  /** What it lacks, in words: why it cannot write, or why it was turned away last. */
  readonly problem: string | undefined
  readonly ackLatency: LatencySummary
  readonly verification: VerificationView
}

/** What a master remembers of one slave beyond its connections. */
export class SlaveRecord {
  readonly identity: string
  readonly ackLatency = new LatencyHistogram()
  readonly #refusals = new ReasonCounts()
  readonly verification = new RangeVerification()
  address: string
  connects = 0
  /** Of its last accepted connection. */
  replica: Replica | undefined
  lastRefusal: Refusal | undefined
  /** Whether the last thing it was told is that it is not wanted. */
  isTurnedAway = false

  constructor(identity: string, address: string) {
    this.identity = identity
    this.address = address
  }

  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals.all
  }

  accepted(replica: Replica): void {
    this.replica = replica
    this.address = replica.holder.remote
    this.connects += 1
    this.lastRefusal = undefined
    this.isTurnedAway = false
  }

  refused(refusal: Refusal, isTurnedAway: boolean): void {
    this.#refusals.add(refusal.reason)
    this.lastRefusal = refusal
    this.isTurnedAway = isTurnedAway
  }
}

/** Of those beyond one that is away is forgotten, the longest known first. More can follow one master only one after the other. */
const RECORDS_MAX = 128

/** The slaves that have proven who they are since this master started. */
export class SlaveRecords {
  readonly #records = new Map<string, SlaveRecord>()
  readonly #isHere: (replica: Replica) => boolean

  constructor(isHere: (replica: Replica) => boolean) {
    this.#isHere = isHere
  }

  /** Called for identities that have been proven, or for addresses where none can be: strangers cannot fill this. */
  of(identity: string, address: string): SlaveRecord {
    const known = this.#records.get(identity)
    if (known !== undefined) return known
    if (this.#records.size >= RECORDS_MAX) this.#forgetOneAway()
    const record = new SlaveRecord(identity, address)
    this.#records.set(identity, record)
    return record
  }

  forget(identity: string): void {
    this.#records.delete(identity)
  }

  get all(): readonly SlaveRecord[] {
    return [...this.#records.values()]
  }

  #forgetOneAway(): void {
    for (const { identity, replica } of this.#records.values()) {
      if (replica === undefined || !this.#isHere(replica)) return this.forget(identity)
    }
  }
}
