/** Upper bounds of the buckets, ms; what takes longer than the last one is in a bucket of its own. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.25, 0.5, 1, 2, 3, 5, 10, 25, 50, 100, 250, 500, 1_000, 3_000, 10_000,
]

/** For status pages. A quantile is the upper bound of its bucket, or the longest of all where that is less. */
export interface LatencySummary {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** One more than {@link LATENCY_BOUNDS_MS}. */
  readonly buckets: readonly number[]
}

/** How long something took, counted in buckets: it costs the same however often it happens. */
export class LatencyHistogram {
  readonly #buckets = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0)
  #count = 0
  #maxMs = 0

  observe(tookMs: number): void {
    const found = LATENCY_BOUNDS_MS.findIndex((bound) => tookMs <= bound)
    const index = found === -1 ? LATENCY_BOUNDS_MS.length : found
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
    this.#count += 1
    this.#maxMs = Math.max(this.#maxMs, tookMs)
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      maxMs: this.#maxMs,
      buckets: [...this.#buckets],
    }
  }

  #quantile(share: number): number {
    let left = Math.ceil(this.#count * share)
    for (const [index, count] of this.#buckets.entries()) {
      left -= count
      if (left <= 0) return Math.min(LATENCY_BOUNDS_MS[index] ?? this.#maxMs, this.#maxMs)
    }
    return this.#maxMs
  }
}
