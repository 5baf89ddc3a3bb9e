import type { Delivery } from './delivery.ts'

export interface Grant {
  readonly epoch: number
  /** Identity. */
  readonly holder: string
  /** Wall clock, ms; so are all others here. */
  readonly at: number
}

/** A slave has told its master all it knew, and the master has it on disk (rule 4.7). */
export interface HandBack {
  readonly from: string
  readonly to: string
  readonly at: number
}

/** A delivery of what had been acknowledged, by a holder of another epoch. */
export interface Repeat {
  readonly delivery: Delivery
  /** Of the delivery that was acknowledged. */
  readonly epoch: number
  /** When that was answered OK. */
  readonly ackedAt: number
}

/** Who held the serving token when, as the services have logged it: what a holder must know of acknowledgements that others have taken. */
export class ServingHistory {
  readonly #grants: readonly Grant[]
  readonly #handBacks: readonly HandBack[]
  readonly #lostPowerAt: ReadonlyMap<string, number>

  /** `lostPowerAt`: identity → last time. */
  constructor(parts: {
    readonly grants: readonly Grant[]
    readonly handBacks: readonly HandBack[]
    readonly lostPowerAt: ReadonlyMap<string, number>
  }) {
    this.#grants = parts.grants.toSorted((one, other) => one.epoch - other.epoch)
    this.#handBacks = parts.handBacks
    this.#lostPowerAt = parts.lostPowerAt
  }

  /**
   * Whether who delivered that again must have known of the acknowledgement: it had taken it itself, and has not lost its power since (rule 5.1), or whoever had, has
   * handed everything over to it in between (rule 4.7). False also where it is not sure who had taken it.
   */
  mustKnow({ delivery, epoch, ackedAt }: Repeat): boolean {
    const by = this.#grants.find((grant) => grant.epoch === delivery.epoch)?.holder
    const takers = new Set(
      this.#grants
        .filter((grant) => grant.epoch >= epoch && grant.epoch < delivery.epoch && grant.at <= ackedAt)
        .map(({ holder }) => holder),
    )
    const [taker] = takers
    if (by === undefined || taker === undefined || takers.size > 1) return false
    if (taker === by) return (this.#lostPowerAt.get(by) ?? 0) < ackedAt
    return this.#handBacks.some(
      ({ from, to, at }) => from === taker && to === by && at >= ackedAt && at <= delivery.deliveredAt,
    )
  }
}
