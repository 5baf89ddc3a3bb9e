import type { Delivery } from './delivery.ts'

/**
 * What the journal and the way to a slave that watches may lack when its holder is lost (rules 5.1 and 5.8): an acknowledgement that was answered
 * shorter before a misfortune may be forgotten by whoever serves next.
 */
const SPREAD_MS = 500
/** A slave asks for everything so often, whether it watches or not (rule 5.8). */
const PULL_EVERY_MS = 10_000

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

/** A slave was late and hung up on: what its master takes then it hears of only when it watches again (rule 5.8). */
export interface Absence {
  readonly slave: string
  readonly master: string
  readonly since: number
  /** Absent: it had not come back when the master's process ended. */
  readonly until: number | undefined
}

/** A delivery of what had been acknowledged, by a holder of another epoch. */
export interface Repeat {
  readonly delivery: Delivery
  /** Of the delivery that was acknowledged. */
  readonly epoch: number
  /** When that was answered OK. */
  readonly ackedAt: number
  /** When the misfortune of the round began; infinite: there was none. */
  readonly struckAt: number
}

/** Who held the serving token when, as the services have logged it: what a holder must know of acknowledgements that others have taken. */
export class ServingHistory {
  readonly #grants: readonly Grant[]
  readonly #handBacks: readonly HandBack[]
  readonly #absences: readonly Absence[]
  readonly #lostPowerAt: ReadonlyMap<string, number>

  /** `lostPowerAt`: identity → last time. */
  constructor(parts: {
    readonly grants: readonly Grant[]
    readonly handBacks: readonly HandBack[]
    readonly absences: readonly Absence[]
    readonly lostPowerAt: ReadonlyMap<string, number>
  }) {
    this.#grants = parts.grants.toSorted((one, other) => one.epoch - other.epoch)
    this.#handBacks = parts.handBacks
    this.#absences = parts.absences
    this.#lostPowerAt = parts.lostPowerAt
  }

  /**
   * Whether who delivered that again must have known of the acknowledgement: it had taken it itself, and has not lost its power since (rule 5.1), or whoever had, has
   * handed everything over to it in between (rule 4.7). False also where it is not sure who had taken it.
   */
  mustKnow(repeat: Repeat): boolean {
    const { delivery, ackedAt } = repeat
    const { by, taker } = this.#sidesOf(repeat)
    if (by === undefined || taker === undefined) return false
    if (taker.holder === by) return (this.#lostPowerAt.get(by) ?? 0) < ackedAt
    return this.#handBacks.some(
      ({ from, to, at }) => from === taker.holder && to === by && at >= ackedAt && at <= delivery.deliveredAt,
    )
  }

  /**
   * Whether who delivered that again may not have heard of the acknowledgement, since it was taken during the misfortune or too shortly before it, or before it while
   * the one who delivered was hung up on by the one who had taken it, and was not back yet.
   */
  mayLack(repeat: Repeat): boolean {
    const { ackedAt, struckAt } = repeat
    const { by, taker } = this.#sidesOf(repeat)
    const absence = this.#absences.find(
      ({ slave, master, since, until = Infinity }) =>
        slave === by &&
        master === taker?.holder &&
        // What a process before that one has logged is over.
        since >= taker.at &&
        since < struckAt &&
        until >= struckAt,
    )
    const heardUntil = absence === undefined ? struckAt : Math.max(absence.since, struckAt - PULL_EVERY_MS)
    return ackedAt >= heardUntil - SPREAD_MS
  }

  /** Who delivered again, and under which grant the acknowledgement was taken, where only one can have. */
  #sidesOf({ delivery, epoch, ackedAt }: Repeat): {
    readonly by: string | undefined
    readonly taker: Grant | undefined
  } {
    const by = this.#grants.find((grant) => grant.epoch === delivery.epoch)?.holder
    const takers = this.#grants.filter(
      (grant) => grant.epoch >= epoch && grant.epoch < delivery.epoch && grant.at <= ackedAt,
    )
    const isOne = takers.every(({ holder }) => holder === takers[0]?.holder)
    return { by, taker: isOne ? takers.at(-1) : undefined }
  }
}
