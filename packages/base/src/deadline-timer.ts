import type { Clock, Timer } from './clock.ts'

/**
 * The one timer of something whose next deadline moves with every event. An armed timer is left alone unless it would be too late: to wake once too
 * often costs less than to re-arm for every event.
 */
export class DeadlineTimer {
  readonly #clock: Clock
  readonly #fire: () => void
  #due = Infinity
  #timer: Timer | undefined

  /** @param fire at the deadline or before; whoever is called looks what is due, and arms again */
  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock
    this.#fire = fire
  }

  /** @param due on the monotonic clock, ms; `undefined`: nothing is waited for */
  arm(due: number | undefined): void {
    if (due === undefined) return this.cancel()
    if (due >= this.#due) return
    this.cancel()
    this.#due = due
    const wait = Math.max(0, Math.ceil(due - this.#clock.monotonic()))
    this.#timer = this.#clock.after(wait, () => {
      this.#timer = undefined
      this.#due = Infinity
      this.#fire()
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#due = Infinity
  }
}
