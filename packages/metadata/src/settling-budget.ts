/** So many writes of all queues are told apart. They are in the journal, the snapshots, and memory for as long. */
export const ALL_SETTLING_WRITES_MAX = 200_000

/** What one queue tells apart. */
export interface SettlingHolder {
  readonly size: number
  /** The older half is told apart no more; the newest always is. */
  giveUpHalf(): void
}

/**
 * Keeps what all queues tell apart together within {@link ALL_SETTLING_WRITES_MAX}, but for one write of each queue: when it is reached, each gives up
 * the older half of its own.
 */
export class SettlingBudget {
  readonly #holders = new Set<SettlingHolder>()
  /** Since they were counted some may have been forgotten: not fewer than there are. */
  #size = 0
  #limit = ALL_SETTLING_WRITES_MAX

  /** One more is told apart in `holder`. */
  added(holder: SettlingHolder): void {
    this.#holders.add(holder)
    this.#size++
    if (this.#size < this.#limit) return
    this.#count()
    if (this.#size > ALL_SETTLING_WRITES_MAX / 2) {
      for (const each of this.#holders) each.giveUpHalf()
      this.#count()
    }
    this.#limit = Math.max(ALL_SETTLING_WRITES_MAX, 2 * this.#size)
  }

  #count(): void {
    this.#size = 0
    for (const holder of this.#holders) {
      this.#size += holder.size
      if (holder.size === 0) this.#holders.delete(holder)
    }
  }
}
