/**
 * Spreads synchronous work over turns of the event loop: in each at most `amountMax` of it is begun, or one piece that is larger. What has to wait
 * goes on in a later turn, the clients one after the other, so that one who asks for much holds up neither another nor what else the process does:
 * statuses, heartbeats, sends, acknowledgements.
 */
export class TurnPace {
  readonly #amountMax: number
  readonly #mayBegin: () => boolean
  /** By client, the one whose turn it is first. */
  readonly #waiting = new Map<string, Set<Waiting>>()
  #begun = 0
  #isScheduled = false

  /** @param mayBegin while false nothing is begun; {@link look} when it may be true again */
  constructor(amountMax: number, mayBegin: () => boolean = () => true) {
    this.#amountMax = amountMax
    this.#mayBegin = mayBegin
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** Whether a piece that came now would wait. */
  mustWait(amount: number): boolean {
    return this.#waiting.size > 0 || !this.#mayBegin() || !this.#hasRoomFor(amount)
  }

  look(): void {
    if (this.#waiting.size > 0 && this.#mayBegin()) this.#schedule()
  }

  /** Nothing: begin now. Otherwise resolves when it is the turn of this piece, or when its caller is gone. */
  enter(amount: number, client: string, signal: AbortSignal): Promise<void> | undefined {
    if (!this.mustWait(amount)) {
      this.#begin(amount)
      return undefined
    }
    return new Promise((resolve) => {
      const leave = (): void => {
        signal.removeEventListener('abort', leave)
        this.#remove(client, waiting)
        resolve()
      }
      const waiting: Waiting = { amount, leave }
      const others = this.#waiting.get(client)
      if (others) others.add(waiting)
      else this.#waiting.set(client, new Set([waiting]))
      signal.addEventListener('abort', leave, { once: true })
      this.look()
    })
  }

  #hasRoomFor(amount: number): boolean {
    return this.#begun === 0 || this.#begun + amount <= this.#amountMax
  }

  #begin(amount: number): void {
    this.#begun += amount
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#begun = 0
      this.#next()
    })
  }

  #next(): void {
    for (;;) {
      const [first] = this.#waiting
      if (first === undefined || !this.#mayBegin()) return
      const [client, pieces] = first
      const [next] = pieces
      if (next === undefined || !this.#hasRoomFor(next.amount)) return this.#schedule()
      this.#begin(next.amount)
      next.leave()
      // Behind the others.
      if (this.#waiting.delete(client)) this.#waiting.set(client, pieces)
    }
  }

  #remove(client: string, waiting: Waiting): void {
    const pieces = this.#waiting.get(client)
    pieces?.delete(waiting)
    if (pieces?.size === 0) this.#waiting.delete(client)
  }
}

interface Waiting {
  readonly amount: number
  readonly leave: () => void
}
