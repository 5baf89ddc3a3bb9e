/**
 * How fast a replica copies when it is behind, in bytes per millisecond. Only time in which something was
 * outstanding counts: an idle link is not a slow one.
 */
export class CopyRate {
  #rate: number | undefined
  /** Since when something has been outstanding, or the last report after that. */
  #since: number | undefined
  #bytes = 0

  /** Bytes were sent to a replica that may have had everything until now. */
  sent(now: number): void {
    this.#since ??= now
  }

  /** The replica reported `bytes` more; `outstanding` is what it still lacks. */
  received(bytes: number, outstanding: number, now: number): void {
    this.#bytes += bytes
    const took = now - (this.#since ?? now)
    if (took >= SAMPLE_MS || (outstanding === 0 && took > 0)) {
      this.#sample(this.#bytes / took)
      this.#bytes = 0
      this.#since = now
    }
    if (outstanding === 0) {
      this.#since = undefined
      this.#bytes = 0
    }
  }

  /** Bytes it copies in `ms`; 0 as long as nothing was measured. */
  within(ms: number): number {
    return (this.#rate ?? 0) * ms
  }

  /** Rises at once, falls slowly: small records measure the round trip, not the link. */
  #sample(rate: number): void {
    this.#rate = this.#rate === undefined ? rate : Math.max(rate, this.#rate * (1 - FALL) + rate * FALL)
  }
}

const SAMPLE_MS = 10
const FALL = 0.1
