/** How long nothing happened, at the longest. */
export class Pauses {
  #from = performance.now()
  #last = performance.now()
  #longestMs = 0

  /** Counts from now on. */
  begin(): void {
    this.#from = performance.now()
    this.#last = this.#from
    this.#longestMs = 0
  }

  /** It happened. */
  note(): void {
    const now = performance.now()
    this.#longestMs = Math.max(this.#longestMs, now - this.#last)
    this.#last = now
  }

  /** Since {@link begin}; a pause that lasts still counts, ms. */
  get longestMs(): number {
    return Math.round(Math.max(this.#longestMs, performance.now() - this.#last))
  }
}
