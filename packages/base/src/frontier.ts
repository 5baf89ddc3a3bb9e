import { BrokerError } from './errors.ts'
import { invariant } from './invariant.ts'

interface Waiter {
  readonly until: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

interface FrontierWait {
  readonly done: Promise<void>
  /** Waits no longer: `done` rejects with `reason`, unless it has settled. */
  leave(this: void, reason: unknown): void
}

/**
 * A position that only moves forward, and those waiting for it to pass them: written, flushed, replicated,
 * confirmed, dispatched are all frontiers. There is no polling: an advance wakes whom it passes.
 */
export class Frontier {
  readonly #waitersMax: number
  /** Ordered by `until`. Writers arrive in order, so inserting is usually a push. */
  #waiters: Waiter[] = []
  readonly #listeners = new Set<(at: number) => void>()
  #at: number
  #failure: BrokerError | undefined

  constructor(at: number, waitersMax = 100_000) {
    this.#at = at
    this.#waitersMax = waitersMax
  }

  get at(): number {
    return this.#at
  }

  /** Whether somebody waits for a position above {@link at}. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0
  }

  get failure(): BrokerError | undefined {
    return this.#failure
  }

  /**
   * Resolves once the frontier is at or past `until`.
   * Rejects if it fails first, if `signal` aborts (with its reason), or with `SYSTEM_BUSY` if too many wait already.
   */
  reached(until: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(reasonOf(signal))
    const { done, leave } = this.#wait(until)
    if (signal === undefined) return done
    const abort = (): void => leave(reasonOf(signal))
    signal.addEventListener('abort', abort, { once: true })
    return done.finally(() => signal.removeEventListener('abort', abort))
  }

  #wait(until: number): FrontierWait {
    if (this.#failure) return settled(Promise.reject(this.#failure))
    if (until <= this.#at) return settled(Promise.resolve())
    if (this.#waiters.length >= this.#waitersMax) {
      return settled(Promise.reject(new BrokerError('SYSTEM_BUSY', 'too many requests are waiting')))
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { until, resolve, reject }
    this.#insert(waiter)
    const leave = (reason: unknown): void => {
      const index = this.#waiters.indexOf(waiter)
      if (index === -1) return // Passed in the same turn: it came too late to matter.
      this.#waiters.splice(index, 1)
      reject(reason)
    }
    return { done: promise, leave }
  }

  /** Moves to `to` (≥ `at`), wakes everyone it passes, then tells the listeners. */
  advance(to: number): void {
    invariant(to >= this.#at, 'a frontier never moves backwards')
    if (to === this.#at || this.#failure) return
    this.#at = to
    const waiting = this.#waiters.findIndex((waiter) => waiter.until > to)
    const passed = this.#waiters.splice(0, waiting === -1 ? this.#waiters.length : waiting)
    for (const waiter of passed) waiter.resolve()
    for (const listener of this.#listeners) listener(to)
  }

  /** Terminal: everyone waiting, and everyone who asks later, is told why. */
  fail(reason: BrokerError): void {
    if (this.#failure) return
    this.#failure = reason
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason)
  }

  /** Calls `listener` synchronously on every advance; returns how to stop. */
  onAdvance(listener: (at: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #insert(waiter: Waiter): void {
    const after = this.#waiters.findLastIndex((other) => other.until <= waiter.until)
    this.#waiters.splice(after + 1, 0, waiter)
  }
}

function reasonOf(signal: AbortSignal): unknown {
  return signal.reason
}

function settled(done: Promise<void>): FrontierWait {
  return { done, leave: () => undefined }
}
