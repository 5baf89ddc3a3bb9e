import { BrokerError, type Clock, type Frontier, type LogOffset, type Timer } from '@tandemmq/base'

/** Enough replicas hold it, or they did not in time. */
export type ReplicaWaitEnd = 'OK' | 'FLUSH_SLAVE_TIMEOUT'

interface Wait {
  readonly end: LogOffset
  /** When the caller gives up, monotonic ms. */
  readonly due: number
  readonly settle: (end: ReplicaWaitEnd) => void
  readonly fail: (reason: unknown) => void
}

/** More sends than this wait for nothing. */
const WAITS_MAX = 100_000

/**
 * Sends that wait for their replicas, in the order of the log. A report completes all those at the front that it covers; one timer gives up for
 * all of them, and is not touched while they complete in time.
 */
export class ReplicaWaits {
  readonly #replicated: Frontier
  readonly #clock: Clock
  /** By `end`; those before {@link #first} are over. */
  #waits: Wait[] = []
  #first = 0
  #timer: { readonly due: number; readonly timer: Timer } | undefined

  constructor(replicated: Frontier, clock: Clock) {
    this.#replicated = replicated
    this.#clock = clock
    replicated.onAdvance((at) => this.#complete(at))
    // It never gets there: this is how its end is heard of.
    replicated.reached(Infinity).catch((reason: unknown) => this.#failAll(reason))
  }

  /**
   * OK once enough replicas hold everything below `end`, given up at `due` (monotonic ms). Rejects as the position's frontier fails, and with
   * `SYSTEM_BUSY` if too many wait already.
   */
  reached(end: LogOffset, due: number): Promise<ReplicaWaitEnd> {
    if (this.#replicated.failure !== undefined) return Promise.reject(this.#replicated.failure)
    if (this.#replicated.at >= end) return Promise.resolve('OK')
    if (this.#waits.length - this.#first >= WAITS_MAX) {
      return Promise.reject(new BrokerError('SYSTEM_BUSY', 'too many requests are waiting'))
    }
    return new Promise((settle, fail) => {
      this.#insert({ end, due, settle, fail })
      if (due < (this.#timer?.due ?? Infinity)) this.#arm(due)
    })
  }

  #insert(wait: Wait): void {
    // Sends come in the order of the log; only a piece that was written for several calls may come out of it.
    let place = this.#waits.length
    while (place > this.#first && (this.#waits[place - 1]?.end ?? 0) > wait.end) place -= 1
    if (place === this.#waits.length) this.#waits.push(wait)
    else this.#waits.splice(place, 0, wait)
  }

  #complete(at: LogOffset): void {
    let next = this.#waits[this.#first]
    while (next !== undefined && next.end <= at) {
      this.#first += 1
      next.settle('OK')
      next = this.#waits[this.#first]
    }
    if (2 * this.#first < this.#waits.length) return
    this.#waits = this.#waits.slice(this.#first)
    this.#first = 0
  }

  /** Those whose time is over leave, wherever they stand: nobody waits for them. */
  #giveUp(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    const waiting = this.#waits.slice(this.#first)
    this.#waits = waiting.filter(({ due }) => due > now)
    this.#first = 0
    for (const { due, settle } of waiting) if (due <= now) settle('FLUSH_SLAVE_TIMEOUT')
    const due = this.#waits.reduce((soonest, wait) => Math.min(soonest, wait.due), Infinity)
    if (due < Infinity) this.#arm(due)
  }

  #failAll(reason: unknown): void {
    this.#timer?.timer.cancel()
    for (const { fail } of this.#waits.splice(0).slice(this.#first)) fail(reason)
    this.#first = 0
  }

  #arm(due: number): void {
    this.#timer?.timer.cancel()
    const wait = Math.max(0, due - this.#clock.monotonic())
    this.#timer = { due, timer: this.#clock.after(wait, () => this.#giveUp()) }
  }
}
