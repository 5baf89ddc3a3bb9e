import type { LogOffset } from '@tandemmq/base'

/** Not more than one measurement in so many milliseconds. */
const EVERY_MS = 1
const MARKS_MAX = 1_024

/** From sending bytes to a slave until it reports them: a sample, so that it costs little and a stalled slave nothing. */
export class AckLatency {
  readonly #observe: (tookMs: number) => void
  /** Ends of what was sent, and when; both grow. */
  readonly #marks: { readonly end: LogOffset; readonly at: number }[] = []
  #markedAt = Number.NEGATIVE_INFINITY

  constructor(observe: (tookMs: number) => void) {
    this.#observe = observe
  }

  sent(end: LogOffset, now: number): void {
    if (now - this.#markedAt < EVERY_MS || this.#marks.length >= MARKS_MAX) return
    this.#markedAt = now
    this.#marks.push({ end, at: now })
  }

  reported(position: LogOffset, now: number): void {
    for (let mark = this.#marks[0]; mark !== undefined && mark.end <= position; mark = this.#marks[0]) {
      this.#marks.shift()
      this.#observe(now - mark.at)
    }
  }
}
