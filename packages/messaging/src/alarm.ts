import type { Clock, Timer } from '@tandemmq/base'

/** One timer for many dates: armed for the earliest, and for nothing while there is none. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #armed: { readonly at: number; readonly timer: Timer } | undefined

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings once at `at` (monotonic, ms), or not at all. Replaces what was set before. */
  setFor(at: number | undefined): void {
    if (this.#armed?.at === at) return
    this.#armed?.timer.cancel()
    this.#armed = undefined
    if (at === undefined) return
    const delay = Math.max(0, at - this.#clock.monotonic())
    const timer = this.#clock.after(delay, () => {
      this.#armed = undefined
      this.#ring()
    })
    this.#armed = { at, timer }
  }
}
