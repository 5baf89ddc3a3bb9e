import type { Refusal } from '@tandemmq/codec'
import { LatencyHistogram } from './latency-histogram.ts'
import { RangeVerification } from './range-verification.ts'
import { ReasonCounts } from './reason-counts.ts'
import type { Replica } from './replica.ts'

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
