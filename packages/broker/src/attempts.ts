import type { Clock } from '@tandemmq/base'

/** An attempt that ends so long after it might have begun does not go on with what failed before: nobody had wanted one meanwhile, ms. */
const SERIES_MS = 5_000

/** Failures in a row. */
interface Series {
  readonly count: number
  /** Of the first one; monotonic, ms, as the next. */
  readonly since: number
  /** Until when there is a pause. */
  readonly until: number
  /** What was said of the last one. */
  readonly words: string
}

/** When something that has failed may be tried again, and whether its failure has to be told again. */
export class Attempts {
  readonly #clock: Clock
  readonly #firstMs: number
  readonly #longestMs: number
  #last: Series | undefined

  /** After a failure there is a pause of `firstMs`, doubling with each further one up to `longestMs`. */
  constructor(clock: Clock, firstMs: number, longestMs: number) {
    this.#clock = clock
    this.#firstMs = firstMs
    this.#longestMs = longestMs
  }

  get mayTry(): boolean {
    return this.#clock.monotonic() >= (this.#last?.until ?? -Infinity)
  }

  /** For how long it has been failing, ms; `undefined`: it has not. */
  get failingForMs(): number | undefined {
    const series = this.#series
    return series && this.#clock.monotonic() - series.since
  }

  /** True unless the failure before it, in a row, had the same words. */
  failed(words: string): boolean {
    const series = this.#series
    const now = this.#clock.monotonic()
    const count = series?.count ?? 0
    const until = now + Math.min(this.#longestMs, this.#firstMs * 2 ** count)
    this.#last = { count: count + 1, since: series?.since ?? now, until, words }
    return words !== series?.words
  }

  /** It did not fail. */
  reset(): void {
    this.#last = undefined
  }

  get #series(): Series | undefined {
    const isOver = this.#clock.monotonic() - (this.#last?.until ?? 0) > SERIES_MS
    return isOver ? undefined : this.#last
  }
}
