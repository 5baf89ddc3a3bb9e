import type { Clock, Timer } from '@tandemmq/base'
import type { SimulatedClock } from './simulated-clock.ts'

interface Pending {
  readonly task: () => void
  timer: Timer
}

/**
 * One process's view of the common time: its own wall-clock skew; it can be frozen (SIGSTOP: what came due
 * runs on thawing) and killed (nothing it had planned ever runs).
 */
export class MachineClock implements Clock {
  readonly #time: SimulatedClock
  readonly #pending = new Set<Pending>()
  #overdue: Pending[] = []
  #skewMs: number
  #state: 'running' | 'frozen' | 'dead' = 'running'

  constructor(time: SimulatedClock, skewMs = 0) {
    this.#time = time
    this.#skewMs = skewMs
  }

  now(): number {
    return this.#time.now() + this.#skewMs
  }

  monotonic(): number {
    return this.#time.monotonic()
  }

  /** Makes this machine's wall clock jump by `ms`. */
  skew(ms: number): void {
    this.#skewMs += ms
  }

  after(delayMs: number, task: () => void): Timer {
    if (this.#state === 'dead') return { cancel() {} }
    const pending: Pending = { task, timer: this.#time.after(delayMs, () => this.#due(pending)) }
    this.#pending.add(pending)
    return {
      cancel: () => {
        pending.timer.cancel()
        this.#pending.delete(pending)
      },
    }
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    for (const pending of this.#overdue.splice(0)) {
      pending.timer = this.#time.after(0, () => this.#due(pending))
    }
  }

  kill(): void {
    this.#state = 'dead'
    for (const pending of this.#pending) pending.timer.cancel()
    this.#pending.clear()
    this.#overdue = []
  }

  #due(pending: Pending): void {
    if (this.#state === 'frozen') {
      this.#overdue.push(pending)
      return
    }
    if (this.#pending.delete(pending)) pending.task()
  }
}
