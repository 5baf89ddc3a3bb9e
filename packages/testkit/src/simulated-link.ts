import type { Clock } from '@tandemmq/base'
import type { SeededRandom, Span } from './seeded-random.ts'

/** The way from one host to another. What cannot pass waits, as TCP retransmits; it is not lost. */
export class SimulatedLink {
  readonly #clock: Clock
  readonly #random: SeededRandom
  #delayMs: Span
  #cut = false
  #stalled = false
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock, random: SeededRandom, delayMs: Span) {
    this.#clock = clock
    this.#random = random
    this.#delayMs = delayMs
  }

  get isCut(): boolean {
    return this.#cut
  }

  /** The receiver does not read what comes this way. */
  get isStalled(): boolean {
    return this.#stalled
  }

  delay(span: Span): void {
    this.#delayMs = span
  }

  /** How long the next packet takes. */
  nextDelay(): number {
    return this.#random.between(this.#delayMs.min, this.#delayMs.max)
  }

  cut(): void {
    this.#cut = true
  }

  stall(): void {
    this.#stalled = true
  }

  /** Passable again: whoever waits goes on. */
  heal(): void {
    this.#cut = false
    this.#stalled = false
    this.wake()
  }

  wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const task of waiting) task()
  }

  /** Calls `task` when the link may have become passable (once). */
  whenPassable(task: () => void): void {
    this.#waiting.add(task)
  }

  /** Calls `task` one delay from now, or, while the link is cut, one delay after it was healed. */
  pass(task: () => void): void {
    this.#clock.after(this.nextDelay(), () => {
      if (this.#cut) this.whenPassable(() => this.pass(task))
      else task()
    })
  }
}
