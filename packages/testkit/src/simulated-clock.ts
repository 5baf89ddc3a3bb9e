import { setImmediate as turn } from 'node:timers/promises'
import { invariant, type Clock, type Timer } from '@tandemmq/base'

interface Due {
  readonly at: number
  readonly sequence: number
  readonly task: () => void
}

/** Where simulated wall clocks start: 2025-01-01T00:00:00Z. */
export const SIMULATION_START = Date.UTC(2025, 0, 1)

/**
 * Time that moves only when told to. Timers run in the order of their instants (then of their creation), and all
 * microtasks settle between any two of them, so a run is decided by its inputs alone.
 */
export class SimulatedClock implements Clock {
  #elapsed = 0
  #skewMs = 0
  #sequence = 0
  /** Latest first, so that the next one is popped. */
  readonly #due: Due[] = []

  now(): number {
    return SIMULATION_START + this.#elapsed + this.#skewMs
  }

  monotonic(): number {
    return this.#elapsed
  }

  /** Makes the wall clock jump by `ms` (either way); monotonic time and timers do not notice. */
  skew(ms: number): void {
    this.#skewMs += ms
  }

  after(delayMs: number, task: () => void): Timer {
    invariant(delayMs >= 0, 'a timer is never due in the past')
    const due: Due = { at: this.#elapsed + delayMs, sequence: this.#sequence, task }
    this.#sequence += 1
    const place = this.#due.findLastIndex((other) => other.at > due.at)
    this.#due.splice(place + 1, 0, due)
    return {
      cancel: () => {
        const index = this.#due.indexOf(due)
        if (index !== -1) this.#due.splice(index, 1)
      },
    }
  }

  /** How many timers are pending: an idle system has a known, small number. */
  get pending(): number {
    return this.#due.length
  }

  /** Lets every microtask run that can run without time passing. */
  async settle(): Promise<void> {
    await turn()
  }

  /** Moves on by `ms`, running what becomes due. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms
    await turn()
    while (await this.#step(until));
    this.#elapsed = until
  }

  /** Moves on until `condition` holds and stops in that instant. Throws if it does not within `limitMs`. */
  async runUntil(condition: () => boolean, limitMs = 60_000): Promise<void> {
    const until = this.#elapsed + limitMs
    await turn()
    while (!condition()) {
      if (await this.#step(until)) continue
      throw new Error(`did not happen within ${limitMs} simulated ms`)
    }
  }

  /** Moves on until `promise` settles and gives its outcome. Throws if it does not within `limitMs`. */
  async outcome<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false
    const mark = (): void => {
      settled = true
    }
    promise.then(mark, mark)
    await this.runUntil(() => settled, limitMs)
    return promise
  }

  /** Runs the next timer due at or before `until`; false if there is none. */
  async #step(until: number): Promise<boolean> {
    const next = this.#due.at(-1)
    if (next === undefined || next.at > until) return false
    this.#due.pop()
    this.#elapsed = next.at
    next.task()
    await turn()
    return true
  }
}
