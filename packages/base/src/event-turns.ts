/** Hands events to a machine one at a time: what is caused while one is handled waits its turn. */
export class EventTurns<Event> {
  readonly #handle: (event: Event) => void
  readonly #settled: () => void
  readonly #waiting: Event[] = []
  #isHandling = false

  /** @param settled called when all that had come is handled */
  constructor(handle: (event: Event) => void, settled: () => void) {
    this.#handle = handle
    this.#settled = settled
  }

  /** An event is being handled: what is taken now waits. */
  get isHandling(): boolean {
    return this.#isHandling
  }

  take(event: Event): void {
    this.#waiting.push(event)
    if (this.#isHandling) return
    this.#isHandling = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        this.#handle(next)
    } finally {
      this.#isHandling = false
    }
    this.#settled()
  }
}
