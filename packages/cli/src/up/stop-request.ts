const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The longest interval Node knows; it only keeps the process alive. */
const LONG_MS = 2 ** 31 - 1

/**
 * The wish to stop, from a signal or from within; the first counts, the rest change nothing. Until then the process stays alive,
 * also when every service is down.
 */
export class StopRequest {
  readonly #wish = Promise.withResolvers<'stop'>()
  readonly #waiting = setInterval(() => undefined, LONG_MS)
  #requested = false

  constructor() {
    for (const signal of SIGNALS) process.on(signal, () => this.request())
  }

  /** Resolves when somebody wants everything to stop. */
  get requested(): Promise<'stop'> {
    return this.#wish.promise
  }

  get isRequested(): boolean {
    return this.#requested
  }

  request(): void {
    this.#requested = true
    clearInterval(this.#waiting)
    this.#wish.resolve('stop')
  }
}
