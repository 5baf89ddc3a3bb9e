import type { Clock } from '@tandemmq/base'

/** When something that has failed may be tried again, and whether its failure has to be told again. */
export class Attempts {
  readonly #clock: Clock
  readonly #firstMs: number
  readonly #longestMs: number
  #failures = 0
  #notBefore = 0
  #told: string | undefined

  /** After a failure there is a pause of `firstMs`, doubling with each further one up to `longestMs`. */
  constructor(clock: Clock, firstMs: number, longestMs: number) {
    this.#clock = clock
    this.#firstMs = firstMs
    this.#longestMs = longestMs
  }

  get mayTry(): boolean {
    return this.#clock.monotonic() >= this.#notBefore
  }

  /** True unless the last failure had the same words. */
  failed(words: string): boolean {
    const pauseMs = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#failures)
    this.#failures += 1
    this.#notBefore = this.#clock.monotonic() + pauseMs
    const isNews = words !== this.#told
    this.#told = words
    return isNews
  }

  /** As if nothing had ever failed. */
  reset(): void {
    this.#failures = 0
    this.#notBefore = 0
    this.#told = undefined
  }
}
