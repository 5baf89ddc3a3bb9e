/** What happened to numbered messages between one producer and one consumer group. */
export class Ledger {
  readonly #sent = new Set<number>()
  readonly #acknowledged = new Set<number>()
  readonly #refused = new Set<number>()
  readonly #received = new Map<number, number>()
  readonly #done = new Set<number>()
  #repeated = 0
  #lastReceivedAt: number | undefined
  #longestPauseMs = 0

  /** The producer has called send. */
  sent(number: number): void {
    this.#sent.add(number)
  }

  /** The broker said OK. */
  acknowledged(number: number): void {
    this.#acknowledged.add(number)
  }

  /** The broker, or the way to it, said anything but OK: the message may or may not be there. */
  refused(number: number): void {
    this.#refused.add(number)
  }

  /** @param at monotonic ms */
  received(number: number, at: number): void {
    this.#received.set(number, (this.#received.get(number) ?? 0) + 1)
    if (this.#done.has(number)) this.#repeated++
    if (this.#lastReceivedAt !== undefined) {
      this.#longestPauseMs = Math.max(this.#longestPauseMs, at - this.#lastReceivedAt)
    }
    this.#lastReceivedAt = at
  }

  /** The broker took the consumer's acknowledgement. */
  consumed(number: number): void {
    this.#done.add(number)
  }

  /** Every acknowledged message has arrived. */
  get isComplete(): boolean {
    return this.missing().length === 0
  }

  /** Acknowledged and never received. */
  missing(): readonly number[] {
    return [...this.#acknowledged].filter((number) => !this.#received.has(number))
  }

  totals(): LedgerTotals {
    const unknown = [...this.#refused].filter((number) => !this.#acknowledged.has(number)).length
    return {
      sent: this.#sent.size,
      acknowledged: this.#acknowledged.size,
      unknown,
      received: this.#received.size,
      lost: this.missing().length,
      duplicated: [...this.#received.values()].reduce((sum, times) => sum + times - 1, 0),
      duplicatedAfterAck: this.#repeated,
      longestPauseMs: Math.round(this.#longestPauseMs),
    }
  }
}

export interface LedgerTotals {
  readonly sent: number
  readonly acknowledged: number
  /** Answered with anything but OK: not promised, perhaps there. */
  readonly unknown: number
  /** Distinct. */
  readonly received: number
  /** Acknowledged to the producer, never seen by the consumer. */
  readonly lost: number
  /** Deliveries beyond the first. */
  readonly duplicated: number
  /** Deliveries after the broker had taken the consumer's acknowledgement. */
  readonly duplicatedAfterAck: number
  /** Between two messages in a row at the consumer. */
  readonly longestPauseMs: number
}
