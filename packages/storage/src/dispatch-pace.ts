/** A copy that has not grown for so long is not in a hurry. */
const QUIET_MS = 5
/** A slave that is told of every batch of its master would write a few bytes into each queue for each. */
const PAUSE_MS = 2
/** While bytes come, dispatch works for a quarter of the time at most. */
const PAUSE_FACTOR = 3
/** What dispatch may be behind for that, bytes: about a second's work. */
const LAG_MAX = 256 * 1024 * 1024

/**
 * How long dispatch waits so that copying goes first: a sender of the master may wait for the copy, and nobody reads the queues of a slave whose master is
 * there. All in ms on a monotonic clock.
 */
export class DispatchPace {
  #copiedAt = Number.NEGATIVE_INFINITY
  #notBefore = Number.NEGATIVE_INFINITY

  /** Bytes of another log were appended. */
  copied(now: number): void {
    this.#copiedAt = now
  }

  /** A batch was dispatched. */
  worked(from: number, to: number): void {
    this.#notBefore = to + Math.max(PAUSE_MS, PAUSE_FACTOR * (to - from))
  }

  /** How long the next batch waits; `lagBytes` is what there is to do. */
  pauseMs(now: number, lagBytes: number): number {
    if (now - this.#copiedAt > QUIET_MS || lagBytes > LAG_MAX) return 0
    return Math.max(0, this.#notBefore - now)
  }
}
