/** Reasons that are told apart; the rest is counted as one. Our own are fewer. */
const REASONS_MAX = 32

/** How often something happened, by reason. Peers choose some of the reasons, strangers too: they cannot make this grow. */
export class ReasonCounts {
  readonly #counts = new Map<string, number>()

  /** Counts it; returns the reason under which it is counted. */
  add(reason: string): string {
    const isTold = this.#counts.has(reason) || this.#counts.size < REASONS_MAX
    const counted = isTold ? reason : 'other'
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1)
    return counted
  }

  get all(): ReadonlyMap<string, number> {
    return this.#counts
  }
}
